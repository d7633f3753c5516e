"""Where the time of a run goes: model forward and attack against everything else; one process, cold cache.

    python tests/benchmarks/profile_demo.py [--suite SUITE] [--model MODEL] [--limit N] [--json FILE] [--functions N]

Every stage is a wrapped function; what a stage spends inside another one is counted there only, so the shares add up.
Seconds of the wall are exact on an idle machine. Seconds of the CPU are the process's (all its threads), so decoding
threads that run beside a forward pass count with it; they are steadier on a busy machine. `--functions` adds the
functions outside the model that took most of the main thread's time (cProfile slows them down).
"""

from __future__ import annotations

import time

_STARTED = (time.perf_counter(), time.process_time())

import argparse  # noqa: E402
import cProfile  # noqa: E402
import functools  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pstats  # noqa: E402
import shutil  # noqa: E402
import tempfile  # noqa: E402
import threading  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager, nullcontext  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

MODEL = "model forward, attack"
START, REST = "start-up, imports", "between stages"

#: stage: "module:attribute" of the functions that belong to it. Names, so that nothing is imported before its time.
STAGES = {
    MODEL: (
        "clipaudit.models.encoder:TorchEncoder.encode_pixels",
        "clipaudit.models.encoder:TorchEncoder.encode_texts",
        "clipaudit_audits.robustness.attacks.ensemble:attack",
    ),
    "loading the model, precision": ("clipaudit.api:open_for",),
    "planning, reading data": ("clipaudit.api:prepare",),
    "digests": ("clipaudit.embedding.live:content_digests",),
    "waiting for decoded images": ("clipaudit.embedding.live:LiveModel._image_batches",),
    "embedding: rest": ("clipaudit.embedding.live:LiveModel._embed",),
    "rows and statistics": ("clipaudit.engine.run:score_cell",),
    "thumbnails": ("clipaudit.engine.run:illustrate",),
    "storing": (
        "clipaudit.engine.store:RunStore.commit",
        "clipaudit.engine.store:RunStore.write_result",
        "clipaudit.engine.store:RunStore.write_manifest",
    ),
    "cells: rest (stimuli, rows)": ("clipaudit.engine.run:_run_cell",),
    "report": ("clipaudit.api:write_report",),
}


class Clock:
    """Exclusive seconds of each stage, in the main thread: (wall, CPU of the process)."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._open = [START]
        self._last = _STARTED

    def _turn(self) -> None:
        now = (time.perf_counter(), time.process_time())
        for i in (0, 1):
            self.spent[self._open[-1]][i] += now[i] - self._last[i]
        self._last = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def wrap(self, name: str, path: str) -> None:
        """Replace the function at `path` by one that counts. A generator counts what each of its steps takes."""
        module, _, attribute = path.partition(":")
        owner = importlib.import_module(module)
        *outer, last = attribute.split(".")
        for part in outer:
            owner = getattr(owner, part)
        setattr(owner, last, self._counted(name, getattr(owner, last)))

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                found = function(*args, **kwargs)
            return self._steps(name, found) if isinstance(found, Iterator) else found

        return counted

    def _steps(self, name: str, steps: Iterator[Any]) -> Iterator[Any]:
        try:
            while True:
                with self.stage(name):
                    try:
                        step = next(steps)
                    except StopIteration:
                        return
                yield step
        finally:
            steps.close()  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--suite", default="demo")
    parser.add_argument("--model", default="reference")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N costliest functions")
    args = parser.parse_args()
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _cold_cache(folder / "cache")
        from clipaudit.api import Request, audit

        for stage, paths in STAGES.items():
            for path in paths:
                clock.wrap(stage, path)
        profile = cProfile.Profile() if args.functions else None
        with clock.stage(REST), profile or nullcontext():
            outcome = audit(Request(suite=args.suite, model=args.model, limit=args.limit), folder / "run")
    print(table(clock.spent))
    print(f"{len(outcome.result.cells)} cells; forward passes {dict(outcome.manifest.forward_passes)}")
    if profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(args.functions)
    if args.json:
        args.json.write_text(json.dumps({"stages": clock.spent, "share_of_model": share(clock.spent)}, indent=1) + "\n")


def _cold_cache(cache: Path) -> None:
    """An empty cache that holds the reference encoder: building it once is set-up, not a run's work."""
    from clipaudit.paths import cache_root

    built = cache_root() / "reference"
    if built.is_dir():
        shutil.copytree(built, cache / "reference")
    os.environ["CLIPAUDIT_CACHE"] = str(cache)


def share(spent: dict[str, list[float]]) -> list[float]:
    """The model's part of all seconds: (wall, CPU)."""
    return [spent[MODEL][i] / sum(seconds[i] for seconds in spent.values()) for i in (0, 1)]


def table(spent: dict[str, list[float]]) -> str:
    """The stages, the costliest first."""
    wall, cpu = (sum(seconds[i] for seconds in spent.values()) for i in (0, 1))
    lines = [f"{'stage':32} {'wall s':>8} {'share':>6} {'CPU s':>8} {'share':>6}"]
    for name, (a, b) in sorted(spent.items(), key=lambda entry: -entry[1][0]):
        lines.append(f"{name:32} {a:8.2f} {a / wall:6.1%} {b:8.2f} {b / cpu:6.1%}")
    lines.append(f"{'all':32} {wall:8.2f} {1:6.0%} {cpu:8.2f} {1:6.0%}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
