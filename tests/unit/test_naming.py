"""Cells of one audit on one data set are told apart by the parameters in which they differ."""

from __future__ import annotations

from clipaudit.naming import cell_names


def test_a_slug_of_its_own_is_the_name() -> None:
    assert cell_names([("a.x", {"n": 1}), ("a.y", {"n": 2})]) == ["a.x", "a.y"]


def test_the_shortest_parameter_that_tells_all_apart_is_named() -> None:
    cells = [("a", {"digest": "0f3c", "preset": p, "n": 1}) for p in ("weat", "seat")]
    cells = [("a", {**params, "digest": f"{params['digest']}{i}"}) for i, (_, params) in enumerate(cells)]
    assert cell_names(cells) == ["a preset=weat", "a preset=seat"]


def test_where_none_does_alone_all_that_differ_are_named() -> None:
    cells = [("a", {"eps": e, "parts": [p]}) for e in (1, 2) for p in ("l2", "linf")]
    assert cell_names(cells) == ["a eps=1 parts=l2", "a eps=1 parts=linf", "a eps=2 parts=l2", "a eps=2 parts=linf"]


def test_a_missing_parameter_and_a_nested_one() -> None:
    assert cell_names([("a", {}), ("a", {"who": {"x": [1, 2]}})]) == ["a who=None", "a who=x:1+2"]
