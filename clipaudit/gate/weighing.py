"""One rule applied to a run: what it selects, each measured and weighed; or why it cannot be judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from clipaudit import plugins
from clipaudit.contract import Cell
from clipaudit.engine.plan import validate_params
from clipaudit.engine.store import RunStore
from clipaudit.errors import ClipAuditError
from clipaudit.gate import rules, words
from clipaudit.gate.measured import Measured, measured
from clipaudit.gate.paired import Side, change, drift
from clipaudit.gate.policy import Absolute, Change, Rule, Worse
from clipaudit.gate.results import Allowed
from clipaudit.gate.select import CannotJudge, Chosen, counterpart, declared, select
from clipaudit.gate.trust import Run
from clipaudit.results import CellResult, Status

_UNJUDGED = (Status.TOO_SMALL, Status.INCONCLUSIVE)
_ANYTHING = Allowed()


@dataclass(frozen=True)
class Item:
    """One selected estimate. before: the baseline's value."""

    chosen: Chosen
    measured: Measured
    weighed: rules.Weighed
    before: float | None = None


@dataclass(frozen=True)
class Weighing:
    """A rule and what it selected. why: what kept it from being judged; nothing: as there is nothing to judge.

    too_small: selected estimates with too few items to be judged, or whose own checks failed.
    """

    rule: Rule
    asked: str
    allowed: Allowed = _ANYTHING
    items: tuple[Item, ...] = ()
    too_small: int = 0
    why: str = ""
    nothing: bool = False


@dataclass
class Runs:
    """The run, its baseline, and the sides that were opened, so that rows are read once."""

    run: Run
    baseline: Run | None
    level: float  # of the intervals of changes
    _sides: dict[tuple[str, str], Side] = field(default_factory=dict)

    def side(self, run: Run, cell: CellResult) -> Side:
        """A cell of a run as `paired` needs it."""
        key = (run.name, cell.key)
        if key not in self._sides:
            self._sides[key] = side_of(run.store, cell)
        return self._sides[key]


def weigh_rule(rule: Rule, runs: Runs) -> Weighing:
    """Select, measure and weigh. What stands in the way is kept, so that the other rules are still judged."""
    metric = declared(rule)
    asked = words.asked(rule, metric.title if metric else rule.metric, metric.unit if metric else "")
    try:
        if metric is not None:
            rules.check_size(rule, metric)
        chosen = select(rule, runs.run.result)
        first = chosen[0].estimate
        worse = rules.worse_side(rule, first) if isinstance(rule, Change) else "higher"
        asked = words.asked(rule, first.title, first.unit, worse)
        allowed = rules.allowed(rule, worse)
        large = [each for each in chosen if each.estimate.status not in _UNJUDGED]
        items = tuple(_item(rule, each, worse, allowed, runs) for each in large)
        return Weighing(rule, asked, allowed, items, len(chosen) - len(large))
    except CannotJudge as error:
        return Weighing(rule, asked, why=str(error), nothing=error.nothing)


def _item(rule: Rule, chosen: Chosen, worse: Worse, allowed: Allowed, runs: Runs) -> Item:
    if isinstance(rule, Absolute):
        found = measured(chosen.estimate)
        return Item(chosen, found, rules.weigh(found, allowed))
    assert runs.baseline is not None, "checked before anything is judged"
    other = counterpart(chosen, runs.baseline.result)
    sides = runs.side(runs.run, chosen.cell), runs.side(runs.baseline, other.cell)
    measure = drift if isinstance(rule, Change) and worse == "away from null" else change
    found = measure(chosen.estimate, other.estimate, *sides, chosen.cell.seed, runs.level)
    return Item(chosen, found, rules.weigh(found, allowed), other.estimate.value)


def side_of(store: RunStore, stored: CellResult) -> Side:
    """A stored cell with its audit, as far as that is installed in the version that measured the rows."""
    blank = Side(None, None, lambda: store.rows(stored.slug, stored.key))
    try:
        audit = plugins.load_audit(stored.audit.id)
        if audit.spec.version != stored.audit.version:
            why = f"version {stored.audit.version} of {stored.audit.id} measured it, {audit.spec.version} is installed"
            return replace(blank, why=why)
        params = validate_params(audit, stored.params)
    except ClipAuditError as error:
        return replace(blank, why=str(error))
    cell = Cell(audit.spec, params, stored.seed, stored.data, stored.title)
    return replace(blank, audit=audit, cell=cell)
