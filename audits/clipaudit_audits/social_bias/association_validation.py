"""Effects of known size for the association audit: two groups of images that lie apart by d."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items
from clipaudit_audits.social_bias.association_estimates import EFFECT

_SIZES = (0.0, 0.3, 0.6, 0.9, 1.2)
_PER_GROUP, _FEW = 30, 8  # as many as the smaller published sets of words have
_PARAMS = {"preset": str(Path(__file__).with_name("association_planted.toml")), "single_category": False}


def plans() -> Sequence[Validation]:
    """d between independent images, and between pairs of images of one identity."""
    return (
        Validation(
            EFFECT, "Two groups of images lie apart by d", _apart, _levels(), _PARAMS, x_label="planted effect size d"
        ),
        Validation(
            EFFECT, "The same with eight images a group", _few, _levels(), _PARAMS, x_label="planted effect size d"
        ),
        Validation(
            EFFECT, "Two images of each identity, one of either group, lie apart by d", _paired, _levels(), _PARAMS,
            x_label="planted effect size d",
        ),
    )  # fmt: skip


def _levels() -> tuple[Planted, ...]:
    words = [",".join(f"{pole}{i}" for i in range(1, 9)) for pole in "ab"]
    spec = f"association?attribute=group&x=x&y=y&a={words[0]}&b={words[1]}&seed={{seed}}&d="
    return tuple(Planted(f"{spec}{d}", d, d) for d in _SIZES)


def _apart() -> Dataset:
    return _independent(_PER_GROUP)


def _few() -> Dataset:
    return _independent(_FEW)


def _independent(each: int) -> Dataset:
    return items([{"group": group} for group in "xy" for _ in range(each)], groups=("group",))


def _paired() -> Dataset:
    pairs = [{"group": group, "identity": f"person {i}"} for group in "xy" for i in range(_PER_GROUP)]
    return items(pairs, groups=("group",), cluster="identity")
