"""Numbers, chance and verdict of a finding that is judged against labels dealt out at random, in words."""

from __future__ import annotations

from clipaudit.numbers import counted, half_width, p_text, plain
from clipaudit.results import Estimate, Status
from clipaudit.stats.multiple import ALONE


def measured(estimate: Estimate, name: str, noun: str = "image") -> str:
    """The number with its interval, items and clusters, for brackets.

    >>> from clipaudit.results import Interval
    >>> ends = Interval(low=0.5, high=0.9, method="bootstrap")
    >>> made = Estimate(metric="m", title="t", value=0.7, n=640, clusters=16, cluster_key="identity", interval=ends)
    >>> measured(made, "skew")
    'skew 0.70, 95 % interval 0.50 to 0.90; 640 images of 16 identities'
    >>> measured(made.model_copy(update={"n": 1, "clusters": None, "interval": None}), "skew")
    'skew 0.70; 1 image'
    """
    spread, interval = spread_of(estimate), estimate.interval
    text = f"{name} {plain(estimate.value, spread)}"
    if interval is not None and interval.low is not None and interval.high is not None:
        level = f"{100 * interval.level:.0f} %"
        text += f", {level} interval {plain(interval.low, spread)} to {plain(interval.high, spread)}"
    text += f"; {counted(estimate.n, noun)}"
    if estimate.cluster_key and estimate.clusters is not None:
        text += f" of {counted(estimate.clusters, estimate.cluster_key)}"
    return text


def beside_chance(estimate: Estimate, null_of: str = "labels dealt out at random") -> str:
    """What chance gives and whether the finding is more than that, led by a space; "" without a null or a test.

    A null result says what would have been found: it is no proof of absence.
    """
    null, test, spread = estimate.null, estimate.test, spread_of(estimate)
    if null is None or test is None or estimate.value is None:
        return ""
    gives = (
        f" {null_of[:1].upper()}{null_of[1:]} would give {plain(null.mean, spread)} (95 % of the time "
        f"{plain(null.low, spread)} to {plain(null.high, spread)})"
    )
    corrected = test.p_adjusted is not None and test.correction != ALONE
    p = p_text(test.p_adjusted if corrected and test.p_adjusted is not None else test.p)
    p += " after correction" if corrected else ""
    if estimate.status is Status.EFFECT:
        return f"{gives}: the difference is larger than chance explains ({p})."
    least = estimate.minimum_detectable
    told = "" if least is None else (
        f" This does not show that there is none: a true difference below {plain(least)} is missed in more than one "
        "of five such tests, even before correction."
    )  # fmt: skip
    return f"{gives}: no difference from chance is shown ({p}).{told}"


def spread_of(estimate: Estimate) -> float | None:
    """Half the width of the interval, which decides the digits."""
    interval = estimate.interval
    return None if interval is None else half_width(interval.low, interval.high)
