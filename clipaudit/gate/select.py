"""Which estimates a rule is about. What a rule names must be there: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from clipaudit import plugins
from clipaudit.contract import MetricSpec
from clipaudit.errors import ClipAuditError, nearest
from clipaudit.gate.policy import ANY, OVERALL, WORST, Rule
from clipaudit.results import CellResult, CellStatus, Estimate, GroupsAre, RunResult

_SHOWN = 4  # subgroups that a message names


class CannotJudge(Exception):
    """A rule cannot be judged; str() is why. `nothing`: as there is nothing to judge, not as it is written wrongly."""

    def __init__(self, why: str, *, nothing: bool = False) -> None:
        super().__init__(why)
        self.nothing = nothing


@dataclass(frozen=True)
class Chosen:
    """One estimate and the cell that it is of."""

    cell: CellResult
    estimate: Estimate


def select(rule: Rule, result: RunResult) -> list[Chosen]:
    """All estimates that a rule covers, at least one. CannotJudge, saying what would be there, where there is none."""
    cells = _cells(rule, result)
    for cell in cells:
        if cell.status is not CellStatus.DONE:
            others = "" if rule.data or len(cells) == 1 else "; a rule with data = ... can leave it out"
            raise CannotJudge(f"{cell.slug}: {cell.status.value}: {cell.reason}{others}", nothing=True)
    named = [Chosen(cell, e) for cell in cells for e in cell.estimates if e.metric == rule.metric]
    if not named:
        known = _metrics(rule.audit, cells)
        if rule.metric in known:
            raise CannotJudge(f"{rule.audit} gave no estimate of {rule.metric!r} in this run", nothing=True)
        raise CannotJudge(f"{rule.audit} has no metric {rule.metric!r}; {nearest(rule.metric, known)}")
    found = [chosen for chosen in named if _fits(rule.subgroup, chosen)]
    if not found:
        raise CannotJudge(f"{rule.metric} has no subgroup {_words(rule.subgroup)}; {_subgroups(named)}")
    return found


def declared(rule: Rule) -> MetricSpec | None:
    """What the rule's metric means, as the audit declares it; None where the audit is not installed."""
    try:
        return plugins.load_audit(rule.audit).spec.metric(rule.metric)
    except (ClipAuditError, KeyError):
        return None


def counterpart(chosen: Chosen, baseline: RunResult) -> Chosen:
    """The same estimate of the same cell in the baseline."""
    cell = next((c for c in baseline.cells if same_cell(c, chosen.cell)), None)
    if cell is None:
        raise CannotJudge(f"the baseline has no cell {chosen.cell.slug} with the same parameters")
    if cell.status is not CellStatus.DONE:
        raise CannotJudge(f"{cell.slug} of the baseline: {cell.status.value}: {cell.reason}", nothing=True)
    for estimate in cell.estimates:
        if identity(estimate) == identity(chosen.estimate):
            return Chosen(cell, estimate)
    raise CannotJudge(f"the baseline has no {chosen.estimate.metric} for {_group(chosen.estimate)}")


def same_cell(one: CellResult, other: CellResult) -> bool:
    """Whether two cells ask the same, of whatever model."""
    return one.slug == other.slug and _plain(one.params) == _plain(other.params)


def identity(estimate: Estimate) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """What names an estimate within its cell."""
    return estimate.metric, estimate.role, tuple(sorted(estimate.subgroup.items()))


def _cells(rule: Rule, result: RunResult) -> list[CellResult]:
    cells = [cell for cell in result.cells if cell.audit.id == rule.audit]
    if not cells:
        audits = {cell.audit.id for cell in result.cells}
        nothing = rule.audit in plugins.names(plugins.AUDITS)
        raise CannotJudge(
            f"audit {rule.audit!r} is not in suite {result.suite!r}; {nearest(rule.audit, audits)}", nothing=nothing
        )
    if rule.data is not None:
        sets = {cell.data.id for cell in cells if cell.data}
        cells = [cell for cell in cells if cell.data and cell.data.id == rule.data]
        if not cells:
            raise CannotJudge(f"{rule.audit} has no data set {rule.data!r} in this run; {nearest(rule.data, sets)}")
    for key, value in rule.params.items():
        known = {name for cell in cells for name in cell.params}
        if key not in known:
            raise CannotJudge(f"{rule.audit} has no parameter {key!r}; {nearest(key, known)}")
        cells = [cell for cell in cells if _plain(cell.params.get(key)) == _plain(value)]
        if not cells:
            raise CannotJudge(f"no cell of {rule.audit} in this run has {key} = {value!r}")
    return cells


def _metrics(audit: str, cells: Iterable[CellResult]) -> set[str]:
    """Metrics that the audit declares, and those of its results."""
    seen = {estimate.metric for cell in cells for estimate in cell.estimates}
    try:
        return seen | {metric.name for metric in plugins.load_audit(audit).spec.metrics}
    except ClipAuditError:
        return seen


def _fits(wanted: str | Mapping[str, str], chosen: Chosen) -> bool:
    subgroup = chosen.estimate.subgroup
    if wanted == OVERALL:
        return not subgroup
    if wanted == ANY:
        return True
    if wanted == WORST:
        return any(_is_group(key, chosen.cell) for key in subgroup)
    assert not isinstance(wanted, str), "the policy knows no other word"
    return set(wanted) == set(subgroup) and all(value in ("*", subgroup[key]) for key, value in wanted.items())


def _is_group(key: str, cell: CellResult) -> bool:
    """Whether a key of a subgroup names groups of people: "race (annotated)", or a column that the card names."""
    columns = cell.data.groups if cell.data else ()
    return key in columns or any(key.endswith(f"({basis})") for basis in get_args(GroupsAre))


def _words(wanted: str | Mapping[str, str]) -> str:
    return wanted if isinstance(wanted, str) else _pairs(wanted)


def _subgroups(named: Sequence[Chosen]) -> str:
    groups = list(dict.fromkeys(_group(chosen.estimate) for chosen in named))
    more = f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    return f"there are: {'; '.join(groups[:_SHOWN])}{more}"


def _group(estimate: Estimate) -> str:
    return _pairs(estimate.subgroup) if estimate.subgroup else OVERALL


def _pairs(subgroup: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'"{key}" = "{value}"' for key, value in subgroup.items()) + "}"


def _plain(value: Any) -> Any:
    """JSON's view: a tuple is a list, and the order of keys does not matter."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
