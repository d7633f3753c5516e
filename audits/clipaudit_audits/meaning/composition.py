"""Compositional hard negatives: a true caption against one that differs in one respect."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, PlanContext, Workload
from clipaudit.errors import DataError, nearest
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit_audits.meaning.composition_choices import Choices
from clipaudit_audits.meaning.composition_estimates import outcomes, results
from clipaudit_audits.meaning.composition_figures import figures
from clipaudit_audits.meaning.composition_rows import Pair, SharedImage, images_of, measure, texts_of
from clipaudit_audits.meaning.composition_spec import SPEC, CompositionParams

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.images import ImageRef
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class CaptionChoice(Audit):
    """A true caption against a false one, in pairs; where those come from is the subclass's."""

    @abstractmethod
    def pairs(self, cell: Cell) -> list[Pair]:
        """What is asked."""

    def text_only(self, cell: Cell) -> bool:
        """Whether no image is shown."""
        return False

    def workload(self, cell: Cell) -> Workload:
        pairs = self.pairs(cell)
        return Workload(() if self.text_only(cell) else images_of(pairs), texts_of(pairs))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """Columns item, image, kind, caption, negative, true, false, typical_*, average_*, error."""
        return measure(self.pairs(cell), model, self.text_only(cell))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        metrics = {metric.name: metric for metric in cell.spec.metrics}
        return correct(results(Choices.of(rows), metrics, cell.seed), "holm", "tests")

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        """Choices, and leads; none for what rests on the model's own choices."""
        return outcomes(Choices.of(rows), estimate)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        return figures(Choices.of(rows), estimates)


class Composition(CaptionChoice):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataError without captions and negatives, or where a kind that is asked for is not there."""
        if ctx.dataset is None:
            raise DataError("composition: give a data set with the columns caption and negative (--data)")
        ctx.dataset.require("caption", "negative")
        there = {_kind(image) for image in ctx.dataset.images}
        for kind in ctx.params.kinds:
            if kind not in there:
                raise DataError(
                    f"composition: data set {ctx.dataset.id!r} has no kind {kind!r}; {nearest(kind, there)}"
                )
        cells = super().plan(ctx)
        return [replace(cell, title=f"{cell.title}, texts alone") for cell in cells] if ctx.params.text_only else cells

    def pairs(self, cell: Cell) -> list[Pair]:
        return read_pairs(cell.require_dataset(), cell.params)

    def text_only(self, cell: Cell) -> bool:
        return bool(cell.params.text_only)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.composition_validation import plans

        return plans()


def read_pairs(dataset: Dataset, params: CompositionParams) -> list[Pair]:
    """One pair per item; items with the same value in `image`, where there is such a column, share their image."""
    images: dict[str, SharedImage] = {}
    found = []
    for item in dataset.images:
        kind = _kind(item)
        if params.kinds and kind not in params.kinds:
            continue
        name = item.attributes.get("image", "").strip() or item.id
        image = images.setdefault(name, SharedImage(name, item))
        caption, negative = (" ".join(item.attributes[column].split()) for column in ("caption", "negative"))
        found.append(Pair(item.id, image, kind, caption, negative))
    return found


def _kind(image: ImageRef) -> str:
    return image.attributes.get("kind", "").strip() or "caption"
