"""A comparison as a page may get it: every outcome, several units, flips with and without pictures, three runs."""

from __future__ import annotations

import io
from typing import Any

from clipaudit.compare.results import (
    BoardRow,
    ComparedCell,
    Comparison,
    Difference,
    Flips,
    Outcome,
    Pair,
    RunName,
    Standing,
)
from clipaudit.results import Interval, Test

CELLS = (
    ComparedCell(name="zero_shot.objects", slug="zero_shot.objects", title="Zero-shot accuracy: Objects",
                 question="How well does it name things?", data="objects", data_title="Objects", thumbnails=True),
    ComparedCell(name="disparity.faces", slug="disparity.faces", title="Unequal accuracy: Faces",
                 question="Is it right less often for some?", data="faces", data_title="Faces", thumbnails=False),
    ComparedCell(name="association", slug="association", title="Association test", question="What is near to what?"),
)  # fmt: skip


def run(label: str, **more: Any) -> RunName:
    """One of the runs."""
    fields = {"path": f"runs/{label}", "model": f"model {label}", "fingerprint": "f" * 64, "suite": "Small",
              "started": "2026-01-01"} | more  # fmt: skip
    return RunName(label=label, **fields)


def difference(outcome: Outcome, change: float, p: float, cell: str = "zero_shot.objects", **more: Any) -> Difference:
    """One finding in two runs, a proportion of 200 items unless told otherwise."""
    fields = {
        "cell": cell, "cell_key": "0" * 16, "cell_name": cell, "metric": "accuracy", "title": "Zero-shot accuracy",
        "unit": "proportion", "before": 0.7, "after": 0.7 + change, "n": 200, "paired": True,
        "interval": Interval(low=change - 0.04, high=change + 0.04, method="Tango"),
        "test": Test(p=p / 2, p_adjusted=p, method="McNemar exact"), "minimum_detectable": 0.06,
    } | more  # fmt: skip
    return Difference(outcome=outcome, change=change, **fields)


def make_comparison(words: str = "plain", labels: tuple[str, ...] = ("base", "new", "newer")) -> Comparison:
    """words: where text is free."""
    items = tuple(f"things/{words} {i:02}.png" for i in range(70))
    first = (
        difference(Outcome.WORSE, -0.15, 0.002, flips=Flips(down=items, up=items[:2]), subgroup={"kind": words}),
        difference(Outcome.BETTER, 0.1, 0.01, "disparity.faces", title=f"Gap {words}", metric="gap",
                   flips=Flips(up=("face-1",)), subgroup={"race (annotated)": "Indian"}),
        difference(Outcome.CHANGED, 0.4, 0.03, "association", title="Effect size", metric="d", unit="d", paired=False,
                   note=f"the audit does not say {words}"),
        difference(Outcome.UNTOLD, 0.01, 0.7, role="secondary", metric="top5", title="Accuracy within five"),
    )  # fmt: skip
    standings = (
        Standing(value=0.7, interval=Interval(low=0.63, high=0.76, method="Wilson"), n=200),
        Standing(value=0.55, interval=Interval(low=0.48, high=0.62, method="Wilson"), n=200, outcome=Outcome.WORSE),
        Standing(value=0.9, n=60, why=f"other data: {words}"),
    )
    return Comparison(
        clipaudit_version="1.2.3", base=run(labels[0]), cells=CELLS,
        pairs=(
            Pair(run=run(labels[1]), differences=first, unmatched=(f"lexicon.faces: not run: {words}",),
                 notes=(f"numpy 1 in the base, 2 here {words}",)),
            Pair(run=run(labels[2]), differences=(), unmatched=("zero_shot.objects: other data",)),
        ),
        board=(BoardRow(cell="zero_shot.objects", cell_name="zero_shot.objects", metric="accuracy", best=(0,),
                        title="Zero-shot accuracy", unit="proportion", subgroup={"kind": words}, standings=standings),),
    )  # fmt: skip


def make_pictures(words: str = "plain") -> dict[str, bytes]:
    """Of some of the items that flipped, and of a face that no page may show."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (24, 16), "#0072b2").save(file, "WEBP")
    names = [f"zero_shot.objects/things/{words} {i:02}.png" for i in range(0, 70, 2)]
    return dict.fromkeys([*names, "disparity.faces/face-1"], file.getvalue())
