"""From a model to rows: scores, maps, and what their checks need. A chunk of images at a time, so memory stays flat."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Cell
from clipaudit.errors import DataError, ImageError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.stimuli.recipe import seed_from
from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift_choices import ACCURATE, CHECKED_ROLES, Choice, choose, occluded
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams
from clipaudit_audits.meaning.attention_shift_rows import Record
from clipaudit_audits.meaning.attention_shift_stimuli import Covered
from clipaudit_audits.meaning.relevance.methods import Inside, Method, method_for
from clipaudit_audits.meaning.relevance.occlusion import cell_means, occlusion
from clipaudit_audits.meaning.relevance.shuffling import shuffled

if TYPE_CHECKING:
    import torch

    from clipaudit.models.protocol import Model

Floats = NDArray[np.float64]

CHUNK = 16
RANDOM_ORDERS = 2


def records(cell: Cell, model: Model) -> list[Record]:
    """One per image and prompt; one with an error per image that cannot be read."""
    params: AttentionShiftParams = cell.params
    choices = choose(cell.require_dataset(), params, cell.seed)
    method = _method(model, params)
    found: list[Record] = []
    for checked in (True, False):
        members = [choice for choice in choices if choice.checked is checked]
        for start in range(0, len(members), CHUNK):
            found += _Chunk(cell, model, method, members[start : start + CHUNK]).records()
    return found


def _method(model: Model, params: AttentionShiftParams) -> Method:
    if params.method == "occlusion":
        return Method("occlusion", "asked for")
    return method_for(model, params.first_layer)


@dataclass
class _Seen:
    """One image of a chunk: scores (P,) of the whole picture, and mask (G, G)."""

    choice: Choice
    scores: Floats
    mask: Floats | None
    blank: Floats | None = None
    maps: Floats | None = None  # (P, G, G)
    occlusion: Floats | None = None
    shuffled: Floats | None = None  # (P, G, G)
    curves: dict[str, dict[str, list[float]]] | None = None

    @property
    def roles(self) -> list[str]:
        return list(self.choice.prompts)


class _Chunk:
    """A few images, all checked or none."""

    def __init__(self, cell: Cell, model: Model, method: Method, choices: Sequence[Choice]) -> None:
        self.params: AttentionShiftParams = cell.params
        self.seed, self.model, self.method, self.choices = cell.seed, model, method, choices
        self.texts = list(dict.fromkeys(text for choice in choices for text in choice.prompts.values()))

    def records(self) -> list[Record]:
        seen, broken = self._looked_at()
        deep = bool(self.choices) and self.choices[0].checked
        if seen and self.method.inside is not None:
            self._look_inside(seen, self.method.inside, deep)
        if seen and deep:
            self._occlude(seen)
            self._cover_by_order(seen)
        return [*(record for one in seen if one.maps is not None for record in _records(one, self.method)), *broken]

    def _looked_at(self) -> tuple[list[_Seen], list[Record]]:
        values, errors = self._scores([choice.shown for choice in self.choices])
        seen: list[_Seen] = []
        broken: list[Record] = []
        for choice, row, error in zip(self.choices, values, errors, strict=True):
            try:
                if error is None:
                    seen.append(_Seen(choice, self._own(choice, row[None])[0], self._mask(choice)))
            except ImageError as problem:
                error = str(problem)
            if error is not None:
                broken.append({"item": choice.item, "cluster": choice.cluster, "label": choice.label,
                               "role": ACCURATE, "method": self.method.name, "error": error})  # fmt: skip
        return seen, broken

    def _scores(self, images: Sequence[ImageRef]) -> tuple[Floats, Sequence[str | None]]:
        """(n, texts of the chunk)."""
        found = self.model.score_labels(images, self.texts, ("{}",))
        if found.kind == "decision":
            raise NotSupported(f"{self.model.info.name} gives decisions and no scores: nothing can drop")
        return np.asarray(found.values, np.float64), found.errors

    def _own(self, choice: Choice, values: Floats) -> Floats:
        """(n, P) columns of one image's prompts."""
        return np.asarray(values[:, [self.texts.index(text) for text in choice.prompts.values()]])

    def _mask(self, choice: Choice) -> Floats | None:
        mask = choice.shown.mask
        if mask is None and self.params.need_masks:
            raise DataError(
                f"attention_shift: need_masks = true, but {choice.item} has no transparent ground to tell the object "
                "by; give cut-outs, or leave need_masks out"
            )
        return None if mask is None else cell_means(mask, self.params.grid)

    # --- maps -------------------------------------------------------------------------------------------------

    def _look_inside(self, seen: Sequence[_Seen], inside: Inside, deep: bool) -> None:
        import torch

        pixels = torch.stack([inside.encoder.preprocess(one.choice.shown.load()) for one in seen])
        embedded = self.model.embed_texts(self.texts)
        if problem := next((error for error in embedded.errors if error is not None), None):
            raise DataError(f"attention_shift: {problem}")
        vectors = np.asarray(embedded.vectors, np.float32)
        places = [[self.texts.index(text) for text in one.choice.prompts.values()] for one in seen]
        directions = torch.from_numpy(vectors[np.array(places)]).to(inside.encoder.device)

        def maps() -> Floats:
            """(B, P, G, G)."""
            return resized(inside.maps(pixels.to(inside.encoder.device), directions), self.params.grid)

        for one, found in zip(seen, maps(), strict=True):
            one.maps = found
        if deep:
            with shuffled(inside.vision, self.seed):
                for one, found in zip(seen, maps(), strict=True):
                    one.shuffled = found

    def _occlude(self, seen: Sequence[_Seen]) -> None:
        covered = [picture for one in seen for picture in occluded(one.choice, self.params)]
        values, errors = self._scores(covered)
        _refuse(errors)
        for one, rows in zip(seen, np.split(values, len(seen)), strict=True):
            own = self._own(one.choice, rows)
            one.blank, one.occlusion = own[-1], occlusion(one.scores, own[:-1])
            if one.maps is None:
                one.maps = one.occlusion

    # --- checks -----------------------------------------------------------------------------------------------

    def _cover_by_order(self, seen: Sequence[_Seen]) -> None:
        """Scores along deletion and insertion, by the order of the maps and by random ones."""
        plans = [self._plan(one) for one in seen]
        values, errors = self._scores([picture for plan in plans for picture in plan])
        _refuse(errors)
        ends = np.cumsum([len(plan) for plan in plans])[:-1]
        for one, rows in zip(seen, np.split(values, ends), strict=True):
            one.curves = self._curves(one, self._own(one.choice, rows))

    def _plan(self, one: _Seen) -> list[Covered]:
        """Deletion and insertion of each checked role, then deletion of each random order."""
        assert one.maps is not None
        grid, item = self.params.grid, one.choice.item
        steps = measures.counts(grid * grid)
        pictures = []
        for role in CHECKED_ROLES:
            rng = np.random.default_rng(seed_from(self.seed, item, role))
            ranked = measures.order(one.maps[one.roles.index(role)], rng)
            for count in steps:
                pictures.append(
                    self._covered(one, measures.first_cells(ranked, count, grid), f"{role}-without-{count}")
                )
            for count in steps:
                pictures.append(self._covered(one, ~measures.first_cells(ranked, count, grid), f"{role}-only-{count}"))
        rng = np.random.default_rng(seed_from(self.seed, item, "random"))
        for number in range(RANDOM_ORDERS):
            ranked = rng.permutation(grid * grid)
            for count in steps:
                cells = measures.first_cells(ranked, count, grid)
                pictures.append(self._covered(one, cells, f"random-{number}-without-{count}"))
        return pictures

    def _covered(self, one: _Seen, cells: NDArray[np.bool_], name: str) -> Covered:
        return Covered(one.choice.shown, cells, self.params.fill, name)

    def _curves(self, one: _Seen, own: Floats) -> dict[str, dict[str, list[float]]]:
        """own: (pictures of the plan, P). A random deletion, read backwards, is the insertion of its reverse."""
        steps = len(measures.counts(self.params.grid**2))
        by_map = own[: len(CHECKED_ROLES) * 2 * steps].reshape(len(CHECKED_ROLES), 2, steps, -1)
        at_random = own[len(CHECKED_ROLES) * 2 * steps :].reshape(RANDOM_ORDERS, steps, -1).mean(axis=0)
        curves = {}
        for number, role in enumerate(CHECKED_ROLES):
            column = one.roles.index(role)
            curves[role] = {
                "deletion": by_map[number, 0, :, column].tolist(),
                "insertion": by_map[number, 1, :, column].tolist(),
                "random_deletion": at_random[:, column].tolist(),
                "random_insertion": at_random[::-1, column].tolist(),
            }
        return curves


def resized(maps: torch.Tensor, grid: int) -> Floats:
    """(B, P, h, w) to (B, P, grid, grid): means where there are more places than patches, else interpolated."""
    from torch.nn import functional

    maps = maps.double()
    if min(maps.shape[2:]) >= grid:
        return np.asarray(functional.adaptive_avg_pool2d(maps, grid).numpy())
    return np.asarray(functional.interpolate(maps, (grid, grid), mode="bilinear", align_corners=False).numpy())


def _refuse(errors: Sequence[str | None]) -> None:
    """A picture that was read once and cannot be read with patches covered is no fault of the item."""
    if problem := next((error for error in errors if error is not None), None):
        raise DataError(f"attention_shift: a picture with covered patches: {problem}")


def _records(one: _Seen, method: Method) -> list[Record]:
    choice = one.choice
    found: list[Record] = []
    for number, (role, prompt) in enumerate(choice.prompts.items()):
        record: dict[str, Any] = {
            "item": choice.item, "cluster": choice.cluster, "label": choice.label, "misled": choice.misled,
            "role": role, "prompt": prompt, "method": method.name, "reason": method.reason,
            "cosine": float(one.scores[number]), "relevance": _flat(one.maps, number),
            "mask": None if one.mask is None else one.mask.ravel().tolist(),
            "occlusion": _flat(one.occlusion, number), "shuffled": _flat(one.shuffled, number),
            "blank": None if one.blank is None else float(one.blank[number]),
        }  # fmt: skip
        if one.curves is not None:
            record |= one.curves.get(role, {})
            if role == ACCURATE:
                record["picture"] = _file(choice)
        found.append(record)
    return found


def _flat(maps: Floats | None, number: int) -> list[float] | None:
    return None if maps is None else maps[number].ravel().tolist()


def _file(choice: Choice) -> bytes:
    buffer = io.BytesIO()
    choice.shown.load().save(buffer, "WEBP", quality=85, method=4)
    return buffer.getvalue()
