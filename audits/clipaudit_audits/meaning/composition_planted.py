"""Captions to validate the audits of composition, and how often a planted lead wins. Each text is a text of its own.

The cosine of an image with its own caption is normal with mean `lead` and any other with mean 0, both with standard
deviation 1: the probabilities below follow.
"""

from __future__ import annotations

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import items

LEADS = (0.0, 0.3, 0.6, 1.0, 2.0)
_THINGS = [
    "bird",
    "boat",
    "chair",
    "clock",
    "cloud",
    "horse",
    "ladder",
    "lamp",
    "river",
    "stone",
    "table",
    "tower",
    "train",
    "tree",
    "window",
]


def pairs() -> Dataset:
    """100 images, each with its caption and another one of as many words, none of which any other caption holds."""
    texts = [(f"word{i}a beside word{i}b", f"word{i}b beside word{i}a") for i in range(100)]
    return items([{"caption": true, "negative": false} for true, false in texts])


def captions() -> Dataset:
    """60 images, each with a caption of nine words."""
    named = [[_THINGS[(i * step + i // 15 + step) % len(_THINGS)] for step in (1, 2, 4)] for i in range(60)]
    return items([{"caption1": f"the small {a} by the {b} and the {c} number{i}"} for i, (a, b, c) in enumerate(named)])


def examples() -> Dataset:
    """100 examples of two images with a caption each."""
    return items([{"example": f"{i // 2:03d}", "caption": f"caption {i} of two"} for i in range(200)])


def model(lead: float, column: str = "caption") -> str:
    """The control with this lead."""
    return f"captions?lead={lead}&column={column}&seed={{seed}}"


def beats(lead: float) -> float:
    """Probability that the own caption leads one other."""
    from scipy.stats import norm

    return float(norm.cdf(lead / 2**0.5))


def beats_all(lead: float, others: int) -> float:
    """Probability that it leads so many others at once."""
    from scipy.integrate import quad
    from scipy.stats import norm

    return float(quad(lambda x: norm.pdf(x - lead) * norm.cdf(x) ** others, -8, lead + 8)[0])


def matches_both(lead: float) -> float:
    """Probability that the lesser of two own scores is above the larger of two crossed ones."""
    from scipy.integrate import quad
    from scipy.stats import norm

    return float(quad(lambda x: 2 * norm.pdf(x - lead) * norm.sf(x - lead) * norm.cdf(x) ** 2, -8, lead + 8)[0])
