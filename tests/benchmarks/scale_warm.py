"""A warm re-run of a suite against the cold one, in one process: forward passes and seconds.

python tests/benchmarks/scale_warm.py [suite] [model]
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from clipaudit.paths import cache_root


def main() -> None:
    suite = sys.argv[1] if len(sys.argv) > 1 else "demo"
    model = sys.argv[2] if len(sys.argv) > 2 else "reference"
    built = cache_root() / "reference"
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        if built.is_dir():  # building the reference encoder is set-up, not part of either side
            shutil.copytree(built, cache / "reference")
        os.environ["CLIPAUDIT_CACHE"] = str(cache)
        from clipaudit.api import Request, audit

        request = Request(suite=suite, model=model)
        cold = audit(request, Path(folder) / "cold").manifest
        warm = audit(request, Path(folder) / "warm").manifest
        assert cold.seconds is not None
        assert warm.seconds is not None
        for name, manifest in (("cold", cold), ("warm", warm)):
            print(f"{name}: {manifest.seconds:.1f} s, {dict(manifest.forward_passes)}")
            for cell, seconds in manifest.cell_seconds.items():
                print(f"    {seconds:7.2f} s  {cell}")
        same = cold.result_digest == warm.result_digest
        print(f"ratio cold/warm: {cold.seconds / warm.seconds:.1f}; results identical: {same}")


if __name__ == "__main__":
    main()
