"""Is a model deceived by small changes of the text? Letters swapped or disguised, words in another order.

edits    the changed prompts      this file    what is asked of the model      score    rows to estimates and bars
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Need, Params, PlanContext, Workload
from clipaudit.errors import DataError
from clipaudit.results import Direction, Estimate, Figure, Harm
from clipaudit.zeroshot import fill
from clipaudit_audits.choosing import largest_classes, spread
from clipaudit_audits.robustness.text_attacks_edits import Kind, edits
from clipaudit_audits.scored_texts import score_texts

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.images import ImageRef
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation

MIN_N = 20
KINDS: tuple[Kind, ...] = ("swap", "homoglyph", "order", "rewording", "capitals")


class TextAttackParams(Params):
    """How texts are changed, and on how many images they are tried."""

    template: str = Field(default="a photo of a {}.", description="The query; {} is the label.")
    images: int = Field(default=500, ge=2, le=1_000_000, description="Images drawn, evenly over the classes.")
    classes: int = Field(default=50, ge=2, le=100_000, description="Most classes used: those with most images.")
    candidates: int = Field(default=8, ge=1, le=8, description="Changed texts tried per label and kind of change.")
    letters: int = Field(default=1, ge=1, le=10, description="Letters changed by a swap or a disguise.")

    @field_validator("template")
    @classmethod
    def _holds_label(cls, value: str) -> str:
        if "{}" not in value:
            raise ValueError("write {} where the label goes, for example 'a photo of a {}.'")
        return value


def _rate(name: str, title: str, direction: Direction, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="proportion", direction=direction, range=(0, 1), min_n=MIN_N, formula=formula
    )


SPEC = AuditSpec(
    id="text_attacks",
    version="1",
    family="robustness",
    title="Changed texts",
    question="Does a slip of the pen, a disguised letter or another order of words mislead the model?",
    kind_of_harm=Harm.DECEPTION,
    harm="Words on a block list, written with one foreign letter, pass it; honest slips of the pen find nothing.",
    citations=(
        "Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P",
        "Pruthi, Dhingra, Lipton 2019, Combating Adversarial Misspellings with Robust Word Recognition, ACL",
        "Yuksekgonul et al. 2023, When and why vision-language models behave like bags-of-words, ICLR",
    ),
    needs=frozenset({Need.SCORES}),
    data=("objects", "tuxpaint-stamps"),
    columns=("label",),
    params=TextAttackParams,
    metrics=(
        _rate("attack_success", "Attack success", Direction.HIGHER_IS_WORSE,
              "P(some changed text of the right label loses against the other labels | right when clean)"),
        _rate("mean_success", "Success of a random change", Direction.HIGHER_IS_WORSE,
              "P(a randomly changed text loses | right when clean)"),
        _rate("robust_accuracy", "Robust accuracy", Direction.LOWER_IS_WORSE,
              "P(right when clean and under every swap, disguise and order)"),
        _rate("clean_accuracy", "Accuracy without attack", Direction.LOWER_IS_WORSE, "P(prediction = y)"),
    ),
    limits=(
        "One query form, English labels; the text of the right class alone is changed.",
        "Changes are drawn at random, a few per label: an attacker who searches finds more.",
        "Whether a text scores lower because its words are in another order or because any rewording does so is told "
        "apart by the comparison with neutral rewordings only.",
    ),
    methods="The prompt of an image's right label is replaced by a changed one; all other labels stay. The attack "
    "succeeds if another label then scores at least as high, for the worst of a few changes of a kind. Neutral "
    "rewordings, as many, show what any change of the text does: McNemar's exact test on the same images, Holm over "
    "the kinds. Capital letters are a control; most tokenizers do not see them.",
)  # fmt: skip


class TextAttacks(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        if ctx.dataset is None:
            raise DataError("text_attacks: needs a data set; write data = '...' beside its id in the suite")
        _draw(ctx.dataset, ctx.params, ctx.seed)
        return super().plan(ctx)

    def workload(self, cell: Cell) -> Workload:
        images, classes = _draw(cell.require_dataset(), cell.params, cell.seed)
        return Workload(images, list(_texts(classes, cell.params, cell.seed)))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """One row per image and changed text: item, cluster, kind, text, label, clean (prediction), right, success,
        error; kind "clean" is the unchanged prompt."""
        import pyarrow as pa

        dataset, params = cell.require_dataset(), cell.params
        images, classes = _draw(dataset, params, cell.seed)
        texts = list(_texts(classes, params, cell.seed))
        values, _, errors, faults = score_texts(model, images, texts)
        column = {text: i for i, text in enumerate(texts)}
        plain = [fill(params.template, name) for name in classes]
        if fault := next((faults[text] for text in plain if text in faults), None):
            raise DataError(f"text_attacks: {fault}")
        own = values[:, [column[text] for text in plain]]
        records: list[dict[str, Any]] = []
        for image, scores, row, error in zip(images, own, values, errors, strict=True):
            records += _records(dataset, image, classes, scores, row, column, error, cell, faults)
        names = ("item", "cluster", "kind", "text", "label", "clean", "error")
        fields = [(name, pa.string()) for name in names] + [("right", pa.bool_()), ("success", pa.bool_())]
        return pa.Table.from_pylist(records, schema=pa.schema(fields))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        from clipaudit_audits.robustness.text_attacks_score import estimates

        return estimates(rows, cell.params, cell.seed)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        from clipaudit_audits.robustness.text_attacks_score import bars

        return [bars(estimates)]

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.text_attacks_validation import plans

        return plans()


def _draw(dataset: Dataset, params: TextAttackParams, seed: int) -> tuple[list[ImageRef], list[str]]:
    """Images, evenly over the classes, and the classes, sorted. DataError for fewer than two classes."""
    dataset.require("label")
    labels = dataset.column("label")
    classes = largest_classes(labels, params.classes, seed, enough=params.images // params.classes + 1)
    if len(classes) < 2:
        raise DataError(
            f"text_attacks: data set {dataset.id!r} has the label set {classes}; a choice needs at least two classes"
        )
    used = [i for i, label in enumerate(labels) if label in set(classes)]
    chosen = [used[i] for i in spread([labels[i] for i in used], params.images, seed)]
    return [dataset.images[i] for i in chosen], classes


def _texts(classes: Sequence[str], params: TextAttackParams, seed: int) -> dict[str, None]:
    """All prompts, plain and changed, each once."""
    plain = (fill(params.template, name) for name in classes)
    changed = (text for name in classes for kind in KINDS for text in _edits(kind, name, params, seed))
    return dict.fromkeys([*plain, *changed])


def _edits(kind: Kind, label: str, params: TextAttackParams, seed: int) -> list[str]:
    return edits(kind, params.template, label, params.candidates, params.letters, seed)


def _records(
    dataset: Dataset, image: ImageRef, classes: Sequence[str], scores: NDArray[np.float64], row: NDArray[np.float64],
    column: dict[str, int], error: str | None, cell: Cell, faults: dict[str, str],
) -> list[dict[str, Any]]:  # fmt: skip
    label = image.attributes["label"]
    cluster = image.attributes[dataset.cluster] if dataset.cluster in dataset.columns else image.id
    common: dict[str, Any] = {"item": image.id, "cluster": cluster, "label": label}
    if error is not None:
        return [{**common, "kind": "clean", "error": error}]
    place = classes.index(label)
    rival = float(np.delete(scores, place).max())
    right = bool(scores[place] > rival)
    common |= {"clean": classes[int(scores.argmax())], "right": right}
    found: list[dict[str, Any]] = [{**common, "kind": "clean", "success": not right}]
    for kind in KINDS:
        for text in _edits(kind, label, cell.params, cell.seed):
            if text not in faults:
                found.append({**common, "kind": kind, "text": text, "success": bool(row[column[text]] <= rival)})
    return found
