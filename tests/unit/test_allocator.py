"""The allocator's setting: a freed block is used again instead of being mapped anew."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import numpy as np
from clipaudit.models.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(8_000_000)  # 64 MB: above the size that glibc ever learns to keep
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting")
def test_freed_memory_is_used_again() -> None:
    def faults(setting: str) -> int:
        done = subprocess.run([sys.executable, "-c", SCRIPT, setting], capture_output=True, text=True, check=True)
        return int(done.stdout)

    block = 64_000_000 // resource.getpagesize()
    assert faults("kept") < block / 4
    assert faults("as it is") > faults("kept")
