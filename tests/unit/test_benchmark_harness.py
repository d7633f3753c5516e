"""The harness of `make bench`: turns, ratios, work; and the clock of the profile."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("side_by_side")


class Time:
    """A clock that moves only when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    process_time = perf_counter


def test_sides_take_turns_and_ratios_are_of_pairs(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    time, order = Time(), []
    monkeypatch.setattr(harness, "time", time)
    monkeypatch.setattr(harness, "peak", lambda: 100.0)

    def side(name: str, seconds: list[float]) -> Any:
        def run() -> str:
            order.append(name)
            time.now += seconds[order.count(name) - 1]
            return name

        return harness.Side(name, run, lambda: 50.0)

    # The first of each is the warm-up. A slow spell hits the third pair, both sides alike: its ratio is untouched.
    bench = harness.Bench("b", side("o", [9, 1, 1, 10]), side("t", [9, 2, 4, 30]), lambda a, b: a + b, rounds=3)
    found = harness.compare(bench)
    assert "".join(order) == "ot" + "ot" + "to" + "ot"
    assert (found.ratio, found.ratio_low, found.ratio_high, found.pairs) == (3, 2, 4, 3)
    assert (found.seconds_ours, found.seconds_theirs) == (1, 4)
    assert (found.of_peak_ours, found.of_peak_theirs) == (0.5, 0.125)
    assert found.agreement == "ot"
    assert "| b | 1.00 s | 4.00 s | **3** (2 to 4, 3 pairs) | 50.0% | 12.5% |" in harness.table([found])


def test_operations_of_a_product(harness: Any) -> None:
    torch = pytest.importorskip("torch")
    assert harness.flops(lambda: torch.ones(3, 5) @ torch.ones(5, 7)) == 2 * 3 * 5 * 7


def test_a_stage_counts_what_no_inner_stage_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    profile, time = importlib.import_module("profile_demo"), Time()
    monkeypatch.setattr(profile, "time", time)
    monkeypatch.setattr(profile, "_STARTED", (0.0, 0.0))
    clock = profile.Clock()
    time.now += 1
    with clock.stage(profile.REST):
        time.now += 2
        with clock.stage(profile.MODEL):
            time.now += 8
        time.now += 5
    assert {name: wall for name, (wall, _) in clock.spent.items()} == {
        profile.START: 1,
        profile.REST: 7,
        profile.MODEL: 8,
    }
    assert profile.share(clock.spent) == [0.5, 0.5]
