"""The one object that says how a run ended: terminal, HTML, Markdown and exit code all read it."""

from __future__ import annotations

from clipaudit.errors import ExitCode
from clipaudit.gate.results import GateResult
from clipaudit.results import CellStatus, Estimate, Record, RunResult, Status


class Verdict(Record):
    """Counts over a run and the line that opens every report. Without a policy nothing is passed or failed.

    state: the gate's (PASS, FAIL, INCONCLUSIVE, ERROR ...); without one "NOT GATED", "INCOMPLETE" or "NOTHING JUDGED".
    headline, exit_code: the gate's, where there is one. findings: what was found, gated or not.
    """

    state: str
    headline: str
    findings: str
    gate: GateResult | None = None
    effects: int
    tested: int
    described: int
    too_small: int
    inconclusive: int
    cells_done: int
    cells_not_run: int
    cells_errored: int
    exit_code: int


def summarise(result: RunResult, gate: GateResult | None = None) -> Verdict:
    """The verdict on a run: that of the gate where it was gated, with the counts of what was found."""
    estimates = [estimate for cell in result.cells for estimate in cell.estimates if estimate.role == "primary"]
    effects = _count(estimates, Status.EFFECT)
    tested = effects + _count(estimates, Status.NO_EFFECT)
    described = _count(estimates, Status.DESCRIBED)
    too_small = _count(estimates, Status.TOO_SMALL)
    inconclusive = _count(estimates, Status.INCONCLUSIVE)
    done, not_run, errored = (
        sum(cell.status is status for cell in result.cells)
        for status in (CellStatus.DONE, CellStatus.NOT_RUN, CellStatus.ERRORED)
    )
    if errored:
        state, code = "INCOMPLETE", ExitCode.CELLS_ERRORED
    elif not done:
        state, code = "NOTHING JUDGED", ExitCode.NOTHING_JUDGED
    else:
        state, code = "NOT GATED", ExitCode.OK
    parts = [f"{effects} of {tested} corrected tests show an effect" if tested else "nothing was tested"]
    if described:
        parts.append(f"{described} further estimate{_s(described)} described without a test")
    if too_small:
        parts.append(f"{too_small} group{_s(too_small)} too small to judge")
    if inconclusive:
        parts.append(f"{inconclusive} inconclusive, as a check of the measurement failed")
    if not_run:
        parts.append(f"{not_run} cell{_s(not_run)} not run")
    if errored:
        parts.append(f"{errored} cell{_s(errored)} errored")
    findings = "; ".join(parts)
    return Verdict(
        state=state if gate is None else gate.state.value,
        headline=findings if gate is None else gate.headline,
        findings=findings,
        gate=gate,
        effects=effects,
        tested=tested,
        described=described,
        too_small=too_small,
        inconclusive=inconclusive,
        cells_done=done,
        cells_not_run=not_run,
        cells_errored=errored,
        exit_code=int(code) if gate is None else gate.exit_code,
    )


def _count(estimates: list[Estimate], status: Status) -> int:
    return sum(estimate.status is status for estimate in estimates)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
