"""How long a cell takes beyond embedding the pictures that its workload names: a trial on a few of them tells."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from clipaudit.contract import Cell
from clipaudit.errors import ImageError
from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift_choices import CHECKED_ROLES, choose
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams
from clipaudit_audits.meaning.attention_shift_run import RANDOM_ORDERS

if TYPE_CHECKING:
    from clipaudit.models.protocol import Model

PILOT = 4


def curve_pictures(params: AttentionShiftParams) -> int:
    """Pictures shown to check the maps of one image, that depend on the maps."""
    return len(measures.counts(params.grid**2)) * (2 * len(CHECKED_ROLES) + RANDOM_ORDERS)


def foresee(cell: Cell, model: Model) -> float:
    """Seconds for deletion and insertion, and for one more pass per image where the tower is looked into."""
    import torch

    encoder = getattr(model, "encoder", None)
    if encoder is None:
        return 0.0
    params: AttentionShiftParams = cell.params
    choices = choose(cell.require_dataset(), params, cell.seed)
    pixels = []
    for choice in choices[:PILOT]:
        with suppress(ImageError):
            pixels.append(encoder.preprocess(choice.shown.load()))
    if not pixels:
        return 0.0
    batch = torch.stack(pixels).to(encoder.device)
    with torch.inference_mode():
        encoder.encode_pixels(batch)  # the first pass also sets things up
        started = time.perf_counter()
        encoder.encode_pixels(batch)
    each = (time.perf_counter() - started) / len(pixels)
    checked = sum(choice.checked for choice in choices)
    return each * (checked * (curve_pictures(params) + 1) + len(choices))
