"""Every comparison, or those named: a table, and JSON.

    python tests/benchmarks [images] [text] [statistics] [attacks] [occlusion] [--json FILE]

Takes about ten minutes on two idle cores. On a busy machine the ratios stay comparable (the sides take turns); the
seconds and the shares of the peak do not.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
import warnings
from pathlib import Path

from side_by_side import Outcome, compare, table

NAMES = ("images", "text", "statistics", "attacks", "occlusion")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is given")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"no comparison {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    warnings.simplefilter("ignore")  # of the libraries beside us
    outcomes = []
    for name in args.names or NAMES:
        started = time.perf_counter()
        for bench in importlib.import_module(f"bench_{name}").benches():
            outcome = compare(bench)
            outcomes.append(outcome)
            print(f"{outcome.name}: ratio {outcome.ratio:.3g}; {outcome.agreement}", flush=True)
        print(f"({name}: {time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True)
    print(f"\n{_machine(outcomes)}\n\n{table(outcomes)}")
    if args.json:
        record = {"machine": _machine(outcomes), "comparisons": [outcome.as_dict() for outcome in outcomes]}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(record, indent=1) + "\n")


def _machine(outcomes: list[Outcome]) -> str:
    import torch

    best = max(outcome.peak_gflops for outcome in outcomes)
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"Python {platform.python_version()}; peak of a float32 matrix product {best:.0f} GFLOP/s"
    )


if __name__ == "__main__":
    main()
