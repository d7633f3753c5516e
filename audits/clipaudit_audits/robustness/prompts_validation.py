"""What is planted to validate the prompt audit: one template, or one group, with a lower accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

LABELS = ("apple", "cup", "hat", "key", "pear")
TEMPLATES = ("a photo of a {}.", "a picture of a {}.", "a drawing of a {}.", "{}")
ACCURACY = 0.8
_PARAMS = {"templates": list(TEMPLATES)}


def pictures() -> Dataset:
    """100 pictures of five things, half of them red."""
    hues = ("red", "blue")
    return items([{"label": LABELS[i % 5], "hue": hues[i // 5 % 2]} for i in range(100)], groups=("hue",))


def _levels(where: str, luck: str, sizes: Sequence[float], scale: float) -> tuple[Planted, ...]:
    model = f"varied?accuracy={ACCURACY}&when={where}&luck={luck}&seed={{seed}}&then="
    return tuple(Planted(f"{model}{ACCURACY - size:g}", size, scale * size) for size in sizes)


def plans() -> Sequence[Validation]:
    """The spread between templates, predictions that change, and the gap between groups."""
    by_template = _levels("drawing", "template", (0.0, 0.05, 0.1, 0.15, 0.25), 100)
    lost = "accuracy lost under one of four templates"
    return (
        Validation(
            "template_spread", "One of four templates costs accuracy; each has luck of its own", pictures, by_template,
            _PARAMS, x_label=lost,
        ),
        Validation(
            "prediction_changes", "One of four templates costs accuracy; an image keeps its luck", pictures,
            _levels("drawing", "image", (0.05, 0.1, 0.2, 0.4), 1), _PARAMS, null=False, x_label=lost,
        ),
        Validation(
            "group_gap", "One of two groups is named less often; an image keeps its luck", pictures,
            _levels("red", "image", (0.0, 0.1, 0.2, 0.3, 0.4), 100), _PARAMS, x_label="accuracy lost in one group",
        ),
    )  # fmt: skip
