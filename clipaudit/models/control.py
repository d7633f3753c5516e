"""`control:NAME?key=value&...`: synthetic models that carry a known effect of known size, to test the audits.

All but the networks `linear` and `bordered` look at no pixel: what they know of an image is its attributes (`label`,
`written`, `shape`, `texture`, a group's column). All is deterministic in (parameters, image id or text) and independent
of what else is asked.

| spec | what is planted |
|---|---|
| `null?dim=` | nothing |
| `classifier?accuracy=` | the right label with that probability |
| `reader?weight=&accuracy=` | the written word wins with that probability |
| `shape?q=&accuracy=` | shape decides with that probability, else texture |
| `association?d=&attribute=&x=&y=&a=&b=` | X and Y differ in association with a against b by effect size d |
| `linear?dim=&side=&masked=` | an image's distance from other classes; masked, a gradient that leads nowhere |
| `counterfactual?attribute=&level=&words=&effect=` | one level of an attribute is closer to some words by that cosine |
| `leaning?words=&towards=&effect=` | texts with some words are closer to texts with others by that cosine |
| `bordered?accuracy=&reach=` | an image's distance from the other of two classes, by chance |
| `varied?accuracy=&confidence=&when=&then=` | another accuracy for some templates or images; a confidence |
| `graded?accuracy=&slope=` | confidence that varies, and how much it says |
| `misreader?labels=&misspelt=&reworded=` | changed texts that fail, by what is changed |
| `echo?q=&alone=` | the answers of somebody else are repeated with that probability |
| `captions?lead=` | an image's own caption leads any other by that many standard deviations of chance |
| `apart?gap=` | images and texts lie apart by that distance |
| `gazing?moved=&wording=` | which patches a score rests on, and how far another word moves them |
| `preferring?attribute=&level=&words=&rate=&otherwise=` | some labels win, for one group more often |
| `prototypes?labels=&known=&spread=` | labels that images show and texts do not know |
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import ValidationError

from clipaudit.contract import Need
from clipaudit.errors import ModelError, nearest
from clipaudit.models import control_params as kinds
from clipaudit.models.control_apart import ApartParams, apart
from clipaudit.models.control_bordered import BorderedEncoder, BorderedParams
from clipaudit.models.control_captions import CaptionControl, CaptionParams
from clipaudit.models.control_decisions import DecisionControl, classify, follow_shape, read
from clipaudit.models.control_echo import EchoParams, echo
from clipaudit.models.control_gazing import GazingControl, GazingParams
from clipaudit.models.control_graded import GradedControl, GradedParams
from clipaudit.models.control_linear import LinearEncoder
from clipaudit.models.control_misreader import MisreaderControl, MisreaderParams
from clipaudit.models.control_preferring import PreferringControl
from clipaudit.models.control_prototypes import PrototypeControl
from clipaudit.models.control_varied import VariedControl
from clipaudit.models.control_vectors import VectorControl, associate, lean, nothing, shift
from clipaudit.models.protocol import DualEncoder, Model
from clipaudit.results import ModelInfo

VERSION = 1

# NAME: (class of its parameters, what they plant): decisions, and vectors.
_RULES: dict[str, tuple[type[kinds.ClassifierParams], Callable[[Any], Any]]] = {
    "classifier": (kinds.ClassifierParams, classify),
    "echo": (EchoParams, echo),
    "reader": (kinds.ReaderParams, read),
    "shape": (kinds.ShapeParams, follow_shape),
}
_LAYOUTS: dict[str, tuple[type[kinds.ControlParams], Callable[[Any], Any]]] = {
    "apart": (ApartParams, apart),
    "null": (kinds.NullParams, nothing),
    "association": (kinds.AssociationParams, associate),
    "counterfactual": (kinds.CounterfactualParams, shift),
    "leaning": (kinds.LeaningParams, lean),
}


class _Kind(Protocol):
    """A class of models, made of what is said about one and its parameters."""

    capabilities: frozenset[Need]

    def __call__(self, info: ModelInfo, params: Any, /) -> Model: ...


_OWN: dict[str, tuple[type[kinds.ControlParams], _Kind]] = {
    "captions": (CaptionParams, CaptionControl),
    "gazing": (GazingParams, GazingControl),
    "graded": (GradedParams, GradedControl),
    "misreader": (MisreaderParams, MisreaderControl),
    "preferring": (kinds.PreferringParams, PreferringControl),
    "prototypes": (kinds.PrototypeParams, PrototypeControl),
    "varied": (kinds.VariedParams, VariedControl),
}
_NETWORKS: dict[str, tuple[type[kinds.NetworkParams], Callable[[ModelInfo, Any], DualEncoder]]] = {
    "bordered": (BorderedParams, BorderedEncoder),
    "linear": (kinds.LinearParams, LinearEncoder),
}
CONTROLS: dict[str, type[kinds.ControlParams]] = {
    name: params for name, (params, _) in sorted({**_RULES, **_LAYOUTS, **_OWN, **_NETWORKS}.items())
}

_NETWORK = (
    "This is a small network with random weights, made to test attacks: the result says how well they find what is "
    "known in closed form, and nothing about any real model."
)


def open_control(rest: str) -> DualEncoder | Model:
    """The control model as the loader wants it: networks as such, all others with finished outputs."""
    name, _, query = rest.partition("?")
    if name not in _NETWORKS:
        return load_control(rest)
    params = _params(name, query)
    assert isinstance(params, kinds.NetworkParams)
    info = _info(name, params, ("embeddings", "gradients", "scores")).model_copy(
        update={
            "embedding_dim": params.dim, "image_size": params.side, "logit_scale": 100.0, "precision": "float32",
            "warnings": (_NETWORK,),
        }
    )  # fmt: skip
    return _NETWORKS[name][1](info, params)


def load_control(rest: str) -> Model:
    """The control model `NAME?key=value&...` (values percent-encoded where they hold & or %; lists comma-separated).

    Raises ModelError in one line for an unknown name or key, or a value out of range.
    """
    name, _, query = rest.partition("?")
    if name not in CONTROLS:
        raise ModelError(f"control:{rest}: there is no control model {name!r}; {nearest(name, CONTROLS)}")
    if name in _NETWORKS:
        raise ModelError(f"control:{name} is a network; open it with clipaudit.models.load.open_model")
    params = _params(name, query)
    if name in _OWN:
        made = _OWN[name][1]
        return made(_info(name, params, tuple(sorted(made.capabilities))), params)
    if name in _RULES:
        assert isinstance(params, kinds.ClassifierParams)
        return DecisionControl(_info(name, params, ("scores",)), _RULES[name][1](params), params)
    layout = _LAYOUTS[name][1](params)
    info = _info(name, params, ("embeddings", "scores"))
    return VectorControl(
        info.model_copy(update={"embedding_dim": layout.dim, "logit_scale": 100.0}), layout, params.seed
    )


def describe(name: str) -> str:
    """What the control model `name` plants, and its parameters. ModelError for an unknown name."""
    if name not in CONTROLS:
        raise ModelError(f"there is no control model {name!r}; {nearest(name, CONTROLS)}")
    params = CONTROLS[name]
    lines = [inspect.cleandoc(params.__doc__ or ""), ""]
    for key, field in params.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default!r}"
        lines.append(f"  {key}: {field.description} ({default})")
    return "\n".join(lines)


def _params(name: str, query: str) -> kinds.ControlParams:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise ModelError(f"control:{name}: cannot read {query!r}; write {name}?key=value&key=value") from error
    keys = [key for key, _ in pairs]
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise ModelError(f"control:{name}: {repeated!r} is given twice; a list is comma-separated")
    try:
        return CONTROLS[name].model_validate(dict(pairs))
    except ValidationError as error:
        raise ModelError(f"control:{name}: {_problem(error, CONTROLS[name])}") from error


def _problem(error: ValidationError, params: type[kinds.ControlParams]) -> str:
    problem = error.errors()[0]
    key = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}; {nearest(key, params.model_fields)}"
    if problem["type"] == "missing":
        return f"needs {key}= ({params.model_fields[key].description})"
    return f"{key}={problem['input']!r}: {problem['msg'].lower()}"


def _info(name: str, params: kinds.ControlParams, capabilities: tuple[str, ...]) -> ModelInfo:
    values = params.model_dump(mode="json")
    identity = json.dumps([VERSION, name, values], sort_keys=True)
    shown = {key: ",".join(value) if isinstance(value, list) else value for key, value in values.items()}
    return ModelInfo(
        spec=f"control:{name}?{urlencode(sorted(shown.items()), quote_via=quote, safe=', ')}",
        name=f"control {name}",
        fingerprint=hashlib.sha256(identity.encode()).hexdigest(),
        kind="control",
        capabilities=capabilities,
        precision="float64",
        warnings=(
            "This is a synthetic model with a planted effect, made to test the audits. It looks at no pixel: "
            "the result says how well an audit finds what is planted, and nothing about any real model.",
        ),
    )
