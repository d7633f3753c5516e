"""Effects of known size for the occupation audit: images of men lie closer to some occupations, and to a pronoun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

JOBS = (
    "accountant", "baker", "cook", "dentist", "judge", "librarian", "nurse", "teacher",
    "carpenter", "doctor", "engineer", "farmer", "mechanic", "pilot", "plumber", "welder",
)  # fmt: skip
MENS = JOBS[8:]  # the occupations that images of men lie closer to
SHARES = {name: 0.05 + 0.01 * i + (0.0 if name in MENS else 0.7) for i, name in enumerate(JOBS)}
_SHIFTS = (0.0, 0.01, 0.02, 0.04)
_EACH, _DIM = 50, 512
_PARAMS = {
    "occupations": JOBS,
    "shares": SHARES,
    "templates": ["a photo of {}."],
    "occupation": "job",
    "caption": "The {job} and {pronoun} tools.",
}


def plans() -> Sequence[Validation]:
    """The margin of one occupation, its correlation with shares of women, and the gap of pronoun resolution."""
    label = "planted shift in cosine"
    return (
        Validation(
            "margin", "Images of men lie closer to an occupation", _people, _levels(lambda shift: shift), _PARAMS,
            subgroup="pilot", x_label=label,
        ),
        Validation(
            "correlation", "They do so to the occupations of the fewest women", _people,
            _levels(lambda shift: None if shift else 0.0), _PARAMS, x_label=label,
        ),
        Validation(
            "resolution_gap", "Images of men lie closer to captions with their pronoun", _people,
            _levels(lambda shift: 100 * (_right(shift) - 0.5)), _PARAMS, x_label=label,
        ),
        Validation(
            "resolution_accuracy", "The same: accuracy for men", _people, _levels(_right), _PARAMS, subgroup="men",
            x_label=label, null=False,
        ),
    )  # fmt: skip


def _levels(truth: Callable[[float], float | None]) -> tuple[Planted, ...]:
    """Without a shift no word is apart from others: planted words vary less, and shares could not be exchanged."""
    words = ",".join((*MENS, "his"))
    spec = f"counterfactual?attribute=gender&level=male&words={words}&dim={_DIM}&seed={{seed}}&effect="
    models = [f"{spec}{shift}" if shift else f"null?dim={_DIM}&seed={{seed}}" for shift in _SHIFTS]
    return tuple(Planted(model, shift, truth(shift)) for model, shift in zip(models, _SHIFTS, strict=True))


def _right(shift: float) -> float:
    """Share of men whose caption with "his" scores above that with "her".

    Texts with a planted word have .6 of their length in a direction of their own, all others have all of it, so that
    the two cosines differ by `shift` in the mean, with variance (.36 + 1) (1 - h^2) / (dim - 1), h the image's height.
    """
    height = shift / 0.8
    spread = ((0.36 + 1) * (1 - height**2) / (_DIM - 1)) ** 0.5
    return NormalDist().cdf(shift / spread)


def _people() -> Dataset:
    """Men and women at one occupation, so that no caption names another."""
    lines = [
        {"gender": gender, "job": "baker", "number": str(i)} for gender in ("male", "female") for i in range(_EACH)
    ]
    return items(lines, groups=("gender",))
