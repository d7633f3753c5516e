"""One way to compare two ways of computing the same: pairs in strict alternation, ratios with their spread, work per peak.

A comparison has two sides, ours and what people would otherwise run. They take turns (the first of a pair changes), so
that other work on the machine hits both; the ratio is taken within each pair. The matrix-multiplication peak of the
machine is measured beside every pair, on the same threads.
"""

from __future__ import annotations

import ctypes
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from clipaudit.models.allocator import keep_freed_memory

PEAK_SIDE = 1536  # of the square matrices: 28 MB in all, beyond the caches
LEARNT = 32 << 20  # bytes: the largest block that glibc learns to serve from its heap


@dataclass(frozen=True)
class Side:
    """One way to do it. `run` does all of it once and gives what `Bench.agree` compares.

    flops: floating-point operations of one run: of the model's passes that it made, or that the statistic takes by its
    definition. Asked after the runs, so that a run may count its passes.
    """

    name: str
    run: Callable[[], Any]
    flops: Callable[[], float]


@dataclass(frozen=True)
class Bench:
    """What is compared. agree: (our result, theirs) to one line that says how far the results agree."""

    name: str
    ours: Side
    theirs: Side
    agree: Callable[[Any, Any], str]
    rounds: int = 5


@dataclass(frozen=True)
class Outcome:
    """Medians of seconds; ratio theirs / ours: median, smallest and largest over the pairs; GFLOP/s against the peak's."""

    name: str
    ours: str
    theirs: str
    seconds_ours: float
    seconds_theirs: float
    ratio: float
    ratio_low: float
    ratio_high: float
    pairs: int
    peak_gflops: float
    of_peak_ours: float
    of_peak_theirs: float
    agreement: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare(bench: Bench) -> Outcome:
    """One pair to warm up (and to compare results), then `rounds` pairs."""
    agreement = bench.agree(_as_we_do(bench.ours.run), _as_started(bench.theirs.run))
    pairs, peaks = [], []
    for turn in range(bench.rounds):
        sides: dict[str, float] = {}
        for side in ("ours", "theirs") if turn % 2 == 0 else ("theirs", "ours"):
            sides[side] = _seconds(bench, side)
        pairs.append((sides["ours"], sides["theirs"]))
        peaks.append(peak())
    ours, theirs = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    ratios = [slow / fast for fast, slow in pairs]
    best = max(peaks)
    return Outcome(
        bench.name, bench.ours.name, bench.theirs.name, ours, theirs,
        statistics.median(ratios), min(ratios), max(ratios), len(ratios), best / 1e9,
        bench.ours.flops() / ours / best, bench.theirs.flops() / theirs / best, agreement,
    )  # fmt: skip


def peak(repeats: int = 3) -> float:
    """Floating-point operations a second of a float32 matrix product on torch's threads: the best of a few."""
    import torch

    a, b = (torch.rand(PEAK_SIDE, PEAK_SIDE, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    out = torch.empty_like(a)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - started)
    return 2 * PEAK_SIDE**3 / min(times)


def flops(function: Callable[[], object]) -> float:
    """Floating-point operations of the matrix products and convolutions that `function` makes.

    Fused kernels of inference hide their products from torch's counter: count with gradients enabled.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return float(counter.get_total_flops())


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown, one line per comparison, and what agreed below."""
    lines = [
        "| comparison | ours | theirs | theirs : ours (range) | of the peak, ours | theirs |",
        "|---|---|---|---|---|---|",
    ]
    for one in outcomes:
        lines.append(
            f"| {one.name} | {_time(one.seconds_ours)} | {_time(one.seconds_theirs)} | **{one.ratio:.3g}** "
            f"({one.ratio_low:.3g} to {one.ratio_high:.3g}, {one.pairs} pairs) | {_share(one.of_peak_ours)} "
            f"| {_share(one.of_peak_theirs)} |"
        )
    return "\n".join(lines)


def _share(part: float) -> str:
    return f"{part:.2g}" if 0 < part < 0.001 else f"{part:.1%}"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _seconds(bench: Bench, which: str) -> float:
    side, setting = (bench.ours, _as_we_do) if which == "ours" else (bench.theirs, _as_started)
    started = time.perf_counter()
    setting(side.run)
    return time.perf_counter() - started


def _as_we_do(run: Callable[[], Any]) -> Any:
    """As after clipaudit's loader: the allocator keeps freed memory."""
    keep_freed_memory()
    return run()


def _as_started(run: Callable[[], Any]) -> Any:
    """As in a process without clipaudit: the allocator as it is once it has learnt all that it learns by itself."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, LEARNT)
        libc.mallopt(-1, 2 * LEARNT)
        libc.malloc_trim(0)
    return run()
