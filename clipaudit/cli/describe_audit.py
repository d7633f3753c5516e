"""The page of an audit for `clipaudit describe`: what it asks and measures, its parameters, its limits."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from clipaudit.results import Direction

if TYPE_CHECKING:
    from clipaudit.contract import AuditSpec, MetricSpec
    from clipaudit.data.registry import DataRegistry

WIDTH = 100
LONGEST = 240  # of a default that is shown
FILLED_IN = "digest"  # the parameter by which a cell notes what a file held when it was planned; nobody sets it

_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
_DIRECTIONS = {Direction.AWAY_FROM_NULL_IS_WORSE: "further from chance is worse"}
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def audit_page(spec: AuditSpec, registry: DataRegistry) -> str:
    """Question, harm, numbers, parameters, limits, sources, and how it is run alone on data in reach."""
    lines = [f"{spec.id} {spec.version}: {spec.title}", f"family: {spec.family}", ""]
    lines += [wrap(spec.question), "", wrap(f"Harm: {spec.harm}"), ""]
    if spec.methods:
        lines += [wrap(spec.methods), ""]
    lines += ["Numbers"] + [line for metric in spec.metrics for line in _metric(metric)]
    params = [_param(name, field) for name, field in spec.params.model_fields.items() if name != FILLED_IN]
    lines += ["", f"Parameters (--set {spec.id}.NAME=VALUE)", *(params or ["- none"])]
    lines += ["", f"Needs of the model: {', '.join(sorted(spec.needs))}"]
    if spec.uses - spec.needs:
        lines += [f"Uses of it where it is offered: {', '.join(sorted(spec.uses - spec.needs))}"]
    lines += [wrap(line) for line in _data(spec, registry)]
    lines += ["", "What it does not show"] + [wrap(limit, "- ") for limit in spec.limits]
    if spec.citations:
        lines += ["", "Sources"] + [wrap(citation, "- ") for citation in spec.citations]
    lines += ["", f"Run it alone: clipaudit run {spec.id}{_place(spec, registry)} --model MODEL"]
    return "\n".join(lines)


def toml(value: Any) -> str:
    """A parameter's value as suites and --set take it.

    >>> toml({"share": 0.1 + 0.2, "on": True, "words": ("a", "b")})
    '{ share = 0.3, on = true, words = ["a", "b"] }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(key))} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if value is None:
        return "none"
    return json.dumps(value, ensure_ascii=False, default=str)


def wrap(text: str, bullet: str = "") -> str:
    """One paragraph, as wide as a terminal can be expected to be."""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _metric(metric: MetricSpec) -> list[str]:
    unit = f" [{metric.unit}]" if metric.unit else ""
    least = f"; judged from {metric.min_n} items on" if metric.min_n > 2 else ""
    direction = _DIRECTIONS.get(metric.direction, metric.direction.value)
    lines = [wrap(f"{metric.name}{unit}: {metric.title}; {direction}{least}", "- ")]
    if metric.formula:
        lines.append(textwrap.indent(wrap(metric.formula), "    "))
    return lines


def _param(name: str, field: Any) -> str:
    default = "required" if field.is_required() else f"default {toml(field.get_default(call_default_factory=True))}"
    if len(default) > LONGEST:
        default = f"{default[:LONGEST].rpartition(',')[0]}, ... and more"
    return wrap(f"{name} ({_kind(field.annotation)}; {default}): {field.description or ''}", "- ")


def _kind(annotation: Any) -> str:
    """What a value is, in words; the allowed ones where they are few."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(toml, parts))
    if origin in (Union, UnionType):
        return " or ".join(_kind(part) for part in parts if part is not NoneType)
    if origin is Annotated:
        return _kind(parts[0])
    if origin is tuple:
        each = _kind(parts[0])
        return f"list of {each}" if "|" in each else "list"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    return _KINDS.get(origin or annotation, getattr(annotation, "__name__", str(annotation)))


def _data(spec: AuditSpec, registry: DataRegistry) -> list[str]:
    """Columns that it needs, and the sets that it is made for: those in reach, then the others."""
    lines = [f"Needs of the data: columns {', '.join(spec.columns)}"] if spec.columns else []
    if not spec.data:
        return lines
    near = [name for name in spec.data if _is_near(name, registry)]
    far = [name for name in spec.data if name not in near]
    lines.append(f"Made for: {', '.join(near) or 'none in reach'}")
    if far:
        lines.append(f"Made for, but not here (clipaudit describe ID says how to get it): {', '.join(far)}")
    return lines


def _is_near(name: str, registry: DataRegistry) -> bool:
    """Whether a set can be used as it is, without a download."""
    return name in registry.ids() and registry.reach(name) is None and not registry.downloads(name)


def _place(spec: AuditSpec, registry: DataRegistry) -> str:
    """The option that gives it data: a set in reach, else the place of the first that it is made for."""
    if not spec.data:
        return ""
    near = next((name for name in spec.data if _is_near(name, registry)), None)
    return f" --data {near or spec.data[0] + '=FOLDER'}"


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
