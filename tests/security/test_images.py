"""Images that ask for much get an error of one line, or little memory: measured in a process with a limit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bombs import BOMBS
from PIL import Image

HELPERS = Path(__file__).parents[1] / "helpers"
ADDRESSES = 3 << 30  # bytes that the process may map at all
PEAK = 800 << 20  # bytes that it may use: the largest image that is allowed, twice, and the libraries

_CHILD = """
import json, resource, sys
sys.path.insert(0, {here!r})
from bombs import BOMBS
from clipaudit.data.decode import decode
from clipaudit.errors import ImageError

resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
said = {{}}
for name, (make, _) in BOMBS.items():
    try:
        image = decode(make(), name)
        said[name] = list(image.size)
        del image
    except ImageError as error:
        said[name] = str(error)
# Not ru_maxrss, which a process has from the one that started it.
peak = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([said, peak]))
"""


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it")


@pytest.fixture(scope="module")
def decoded() -> tuple[dict[str, str | list[int]], int]:
    """What became of each bomb, and the most memory that was used."""
    code = _CHILD.format(here=str(HELPERS), limit=ADDRESSES)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said, peak = json.loads(done.stdout)
    return said, peak


def test_each_is_one_line_or_readable(decoded: tuple[dict[str, str | list[int]], int]) -> None:
    said, _ = decoded
    assert said.keys() == BOMBS.keys()
    for name, (_, readable) in BOMBS.items():
        outcome = said[name]
        assert isinstance(outcome, list) == readable, f"{name}: {outcome}"
        if isinstance(outcome, str):
            assert outcome.startswith(f"{name}: ")
            assert outcome.isprintable()
            assert len(outcome) < 250


def test_memory_stays_bounded(decoded: tuple[dict[str, str | list[int]], int]) -> None:
    assert decoded[1] < PEAK, f"{decoded[1] >> 20} MiB"


def test_deep_greys_are_scaled_as_before(tmp_path: Path) -> None:
    import numpy as np

    from clipaudit.data.decode import decode

    values = np.arange(65_536, dtype=np.uint16).reshape(1024, 64)
    Image.fromarray(values).save(tmp_path / "deep.png")
    found = np.asarray(decode((tmp_path / "deep.png").read_bytes(), "deep"))
    assert (found[..., 0] == np.round(values / 257)).all()


def test_a_file_that_is_no_file(tmp_path: Path) -> None:
    import os

    from clipaudit.data.files import FileImage
    from clipaudit.errors import ImageError

    os.mkfifo(tmp_path / "pipe.png")
    for path, said in ((tmp_path / "pipe.png", "not a regular file"), (Path("/dev/zero"), "not a regular file")):
        with pytest.raises(ImageError, match=said):
            FileImage("x", {}, path).load()
