"""check_audit passes a sound audit, and names the rule that an unsound one breaks."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from clipaudit.contract import Audit, Cell, Params, PlanContext, Workload
from clipaudit.data.dataset import Dataset
from clipaudit.errors import UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model
from clipaudit.results import DataInfo, Estimate, Figure, GalleryFigure, GalleryItem, Interval, Status, Test
from clipaudit.scaffold.audit import new_audit
from clipaudit.testing import AuditCheckError, check_audit

with tempfile.TemporaryDirectory() as folder:  # the package that `new-audit` writes is the sound one
    package = new_audit("tidy", Path(folder))[0].parent
    sys.path.insert(0, str(package.parent))
    from clipaudit_tidy import Tidy

    sys.path.remove(str(package.parent))


class Thing:
    """An image that is only a name."""

    def __init__(self, number: int) -> None:
        self.id = f"thing {number:02d}"
        self.attributes = {"label": ["cup", "key", "pot"][number % 3]}
        self.digest = self.id

    def load(self) -> Any:
        raise AssertionError("controls look at no pixel")


THINGS = Dataset(
    DataInfo(id="things", title="Things", digest="0", items=30, licence="none", consent="none"),
    [Thing(number) for number in range(30)],
    ("label",),
)


def broken_rules(audit: type[Audit], **options: Any) -> str:
    with pytest.raises(AuditCheckError) as caught:
        check_audit(audit, THINGS, load_control("classifier?accuracy=0.8"), **options)
    return str(caught.value)


def changed(audit: Audit, cell: Cell, rows: pa.Table, **changes: Any) -> list[Estimate]:
    return [estimate.model_copy(update=changes) for estimate in Tidy.score(audit, cell, rows)]


def test_a_sound_audit_passes() -> None:
    check_audit(Tidy, THINGS, load_control("classifier?accuracy=0.8"))
    check_audit(Tidy(), THINGS, params={"max_items": 10})


def test_unknown_parameter() -> None:
    with pytest.raises(UsageError, match="'tidy': parameter max_itmes"):
        check_audit(Tidy, THINGS, params={"max_itmes": 10})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limits": ()}, "spec.limits: is empty"),
        ({"question": " "}, "spec.question: is empty"),
        ({"metrics": ()}, "spec.metrics: is empty"),
        ({"metrics": Tidy.spec.metrics * 2}, "'accuracy' is declared twice"),
    ],
)
def test_declaration(changes: dict[str, Any], message: str) -> None:
    class Bad(Tidy):
        spec = Tidy.spec.model_copy(update=changes)

    assert message in broken_rules(Bad)


def test_undescribed_parameter() -> None:
    class Loose(Params):
        max_items: int = 10
        templates: tuple[str, ...] = ("{}",)

    class Bad(Tidy):
        spec = Tidy.spec.model_copy(update={"params": Loose})

    assert "spec.params: 'max_items' has no description" in broken_rules(Bad)


def test_plan_that_changes() -> None:
    seeds = itertools.count()

    class Bad(Tidy):
        def plan(self, ctx: PlanContext) -> list[Cell]:
            return super().plan(PlanContext(ctx.params, next(seeds), ctx.dataset))

    assert "plan: called twice with the same context, it gives other cells" in broken_rules(Bad)


def test_workload_too_small_and_too_large() -> None:
    class Less(Tidy):
        def workload(self, cell: Cell) -> Workload:
            return Workload(Tidy.workload(self, cell).images, ["a photo of a cup.", "never asked"])

        def run(self, cell: Cell, model: Model) -> pa.Table:
            return Tidy().run(cell, model)

    text = broken_rules(Less)
    assert "workload: run() asks for 2 texts that are not in it; the first is 'a photo of a key.'" in text
    assert "workload: holds 1 texts that run() never asks for; the first is 'never asked'" in text


def test_undeclared_need() -> None:
    class Bad(Tidy):
        def run(self, cell: Cell, model: Model) -> pa.Table:
            model.embed_images(self.workload(cell).images)
            return super().run(cell, model)

    with pytest.raises(AuditCheckError, match=r"spec.needs: run\(\) uses embeddings"):
        check_audit(Bad, THINGS)


def test_rows_without_error_column() -> None:
    class Bad(Tidy):
        def run(self, cell: Cell, model: Model) -> pa.Table:
            return super().run(cell, model).drop_columns(["error"])

    assert "rows: there is no column 'error'" in broken_rules(Bad)


def test_run_that_gives_up_on_an_unreadable_image() -> None:
    class Bad(Tidy):
        def run(self, cell: Cell, model: Model) -> pa.Table:
            rows = super().run(cell, model)
            if rows.column("error").null_count < rows.num_rows:
                raise ValueError("cannot go on")
            return rows

    assert "where one image cannot be read, run() fails: ValueError: cannot go on" in broken_rules(Bad)


def test_rows_that_hide_an_unreadable_image() -> None:
    class Bad(Tidy):
        def run(self, cell: Cell, model: Model) -> pa.Table:
            rows = super().run(cell, model)
            return rows.filter(pc.is_null(rows.column("error")))

    assert "rows: image 'thing 00' could not be read, and no row has an error" in broken_rules(Bad)


def test_score_that_reads_the_data_set() -> None:
    class Bad(Tidy):
        def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
            assert len(cell.require_dataset())
            return super().score(cell, rows)

    assert "score: with rows alone (no data set, no model) it fails: RuntimeError: tidy.things" in broken_rules(Bad)


def test_score_that_changes() -> None:
    draws = itertools.count()

    class Bad(Tidy):
        def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
            return changed(self, cell, rows, value=50.0 + next(draws) / 100)

    assert "score: called twice it gives another result: estimates[0].value" in broken_rules(Bad)


def test_score_that_depends_on_the_order_of_rows() -> None:
    class Bad(Tidy):
        def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
            return changed(self, cell, rows, title=rows.column("item")[0].as_py())

    assert "score: on rows in another order it gives another result: estimates[0].title" in broken_rules(Bad)


ZERO = Test(p=0.0, method="exact")
LOW = Test(p=0.01, method="exact")
HIGH = Test(p=0.2, p_adjusted=0.1, correction="Holm over 3 tests", method="exact")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "acuracy"}, "metric 'acuracy' is not declared"),
        ({"sentence": ""}, "has no sentence"),
        ({"unit": "share"}, "unit or direction is not the declared one"),
        ({"value": 1.01}, "value 1.01 is outside the range (0.0, 1.0)"),
        ({"interval": Interval(low=0.9, high=0.8, method="m")}, "upside down"),
        ({"interval": Interval(low=0.9, high=1.2, method="m")}, "leaves the range"),
        ({"interval": Interval(low=0.01, high=0.02, method="BCa")}, "does not hold the value"),
        ({"test": ZERO}, "p is 0.0"),
        ({"test": HIGH}, "adjusted p 0.1 is below p 0.2"),
        ({"test": None, "status": Status.EFFECT}, "status is <Status.EFFECT: 'effect'> without a test"),
        ({"test": LOW, "status": Status.NO_EFFECT, "notes": ("why",)}, "but the adjusted p is"),
        (
            {"test": LOW.model_copy(update={"p": 0.3}), "status": Status.NO_EFFECT, "minimum_detectable": None},
            "a null result without the smallest effect",
        ),
        ({"clusters": 31}, "n = 30 with 31 clusters"),
    ],
)
def test_estimates(changes: dict[str, Any], message: str) -> None:
    class Bad(Tidy):
        def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
            return changed(self, cell, rows, **changes)

    assert message in broken_rules(Bad)


def test_estimates_that_cannot_be_told_apart() -> None:
    class Bad(Tidy):
        def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
            return super().score(cell, rows) * 2

    assert "two estimates have metric 'accuracy'" in broken_rules(Bad)


def test_figures() -> None:
    class Bad(Tidy):
        def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
            bars = super().figures(cell, rows, estimates)
            shown = GalleryItem(items=("thing 99",), caption="")
            return [*bars, bars[0].model_copy(update={"alt": ""}), GalleryFigure(id="B", title="b", entries=(shown,))]

    text = broken_rules(Bad)
    for message in (
        "two have the id 'accuracy'",
        "'accuracy' has no alt",
        "'B' is not in kebab-case",
        "'B' shows 'thing 99', which is no image of the workload",
    ):
        assert message in text
