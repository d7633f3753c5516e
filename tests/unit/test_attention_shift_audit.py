"""The attention-shift audit on drawn objects, with small towers in which something is planted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clipaudit_audits.meaning.attention_shift import AttentionShift
from clipaudit_audits.meaning.attention_shift_choices import another, choose, occluded
from clipaudit_audits.meaning.attention_shift_items import Item, items
from clipaudit_audits.meaning.attention_shift_measures import correlation
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams
from clipaudit_audits.meaning.attention_shift_stimuli import SIDE, Covered, Shown, cover
from clipaudit_audits.meaning.relevance.methods import method_for
from PIL import Image
from pydantic import ValidationError
from tiny_towers import convolutional, live, transformer
from torch import nn

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.registry import DataRegistry
from clipaudit.embedding.live import LiveModel
from clipaudit.errors import DataError, NotSupported, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model
from clipaudit.testing import check_audit

AUDIT = AttentionShift()
SMALL = AttentionShiftParams(images=12, checked=10, grid=4)


@pytest.fixture(scope="module")
def objects() -> Dataset:
    return DataRegistry({}).open("objects")


@pytest.fixture(scope="module")
def additive(tmp_path_factory: pytest.TempPathFactory) -> LiveModel:
    """No place of its tower sees beyond itself, and what is pooled is a mean."""
    return live(convolutional(), tmp_path_factory.mktemp("additive"))


@pytest.fixture(scope="module")
def seen_by_additive(objects: Dataset, additive: LiveModel) -> list[Item]:
    return measured(objects, additive)


def cell(dataset: Dataset, params: AttentionShiftParams = SMALL) -> Cell:
    return AUDIT.plan(PlanContext(params, 0, dataset))[0]


def measured(dataset: Dataset, model: Model, params: AttentionShiftParams = SMALL) -> list[Item]:
    return items(AUDIT.run(cell(dataset, params), model))


class Plain:
    """A picture without outline."""

    id, attributes, digest = "plain", {"label": "wall"}, "d" * 64

    def load(self) -> Image.Image:
        return Image.new("RGB", (300, 200), (200, 30, 30))


# --- stimuli and choices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ground", ["white", "clouds"])
def test_the_mask_is_where_the_object_lies(objects: Dataset, ground: str) -> None:
    shown = Shown(objects.images[0], ground, 0.5, 3)  # type: ignore[arg-type]
    mask, pixels = shown.mask, np.asarray(shown.load())
    assert mask is not None
    assert pixels.shape == (SIDE, SIDE, 3)
    assert 0.02 < mask.mean() < 0.25
    rows, columns = np.nonzero(mask)
    assert max(np.ptp(rows), np.ptp(columns)) <= SIDE / 2
    if ground == "white":
        assert (pixels[~mask].mean(axis=-1) > 120).mean() > 0.99
    else:
        assert pixels[~mask].std() > 20
    again = Shown(objects.images[0], ground, 0.5, 3)  # type: ignore[arg-type]
    assert again.digest == shown.digest
    assert (np.asarray(again.load()) == pixels).all()
    assert Shown(objects.images[0], ground, 0.5, 4).digest != shown.digest  # type: ignore[arg-type]


@pytest.mark.parametrize("fill", ["blur", "mean"])
def test_covering_changes_the_covered_patches_only(objects: Dataset, fill: str) -> None:
    shown = Shown(objects.images[0], "clouds", 0.6, 0)
    cells = np.zeros((7, 7), np.bool_)
    cells[3, 2] = True
    covered = np.asarray(Covered(shown, cells, fill, "one").load())  # type: ignore[arg-type]
    inside = np.zeros((SIDE, SIDE), np.bool_)
    inside[96:128, 64:96] = True
    assert (covered[~inside] == np.asarray(shown.load())[~inside]).all()
    assert (covered[inside] == cover(shown, fill)[inside]).all()  # type: ignore[arg-type]
    if fill == "mean":
        assert np.ptp(covered[inside], axis=0).max() == 0


def test_occluded_covers_each_patch_once_then_all(objects: Dataset) -> None:
    pictures = occluded(choose(objects, SMALL, 0)[0], SMALL)
    stack = np.stack([picture.cells for picture in pictures])
    assert (stack[:-1].sum(axis=0) == 1).all()
    assert stack[-1].all()
    assert len({picture.digest for picture in pictures}) == 17


def test_choices_are_seeded_and_mislead_with_another_label(objects: Dataset) -> None:
    choices = choose(objects, SMALL, 0)
    assert [choice.checked for choice in choices] == [True] * 10 + [False] * 2
    for choice in choices:
        assert choice.misled != choice.label
        assert choice.prompts["misleading"] == f"a photo of a {choice.misled}."
        assert choice.prompts["neutral"] == "a photo."
    assert [c.misled for c in choose(objects, SMALL, 0)] == [c.misled for c in choices]
    assert [c.misled for c in choose(objects, SMALL, 1)] != [c.misled for c in choices]
    assert another("school bus", ["bus", "school bus"], 0) is None


# --- methods ----------------------------------------------------------------------------------------------------


def test_the_method_follows_the_tower(tmp_path: Path) -> None:
    assert method_for(live(transformer(), tmp_path)).name == "gradient-weighted attention"
    assert method_for(live(convolutional(), tmp_path)).name == "Grad-CAM"
    unseen = method_for(live(convolutional(), tmp_path, seen=False))
    assert (unseen.name, unseen.inside) == ("occlusion", None)
    assert unseen.reason == "no relevance method knows the image towers of python models"
    strange = method_for(live(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 16)), tmp_path))
    assert strange.reason == "no relevance method knows image towers of type Sequential"
    assert method_for(load_control("null")).reason == "the model gives no network to look into"


def test_a_block_that_the_tower_has_not(tmp_path: Path) -> None:
    assert method_for(live(transformer(), tmp_path), 0).inside is not None
    with pytest.raises(UsageError, match="first_layer = 2: the image tower has 2 blocks, from 0 to 1"):
        method_for(live(transformer(), tmp_path), 2)


def test_a_tower_that_can_be_looked_into_keeps_the_contract(objects: Dataset, tmp_path: Path) -> None:
    check_audit(AUDIT, objects, live(transformer(), tmp_path), params={"images": 11, "checked": 10, "grid": 3})


@pytest.mark.parametrize("seen", [True, False])
def test_a_model_that_sees_the_left_half_has_maps_on_the_left_half(
    objects: Dataset, tmp_path: Path, seen: bool
) -> None:
    found = measured(objects, live(convolutional(left_only=True), tmp_path, seen=seen))
    assert {item.rows["accurate"]["method"] for item in found} == {"Grad-CAM" if seen else "occlusion"}
    assert len(found) == (12 if seen else 10)
    for item in found:
        for role in item.rows:
            assert np.abs(item.relevance(role)[:, 2:]).max() < 1e-6
            assert np.abs(item.relevance(role)[:, :2]).max() > 1e-4


def test_grad_cam_of_an_additive_tower_is_faithful(seen_by_additive: list[Item]) -> None:
    gains = [gain for item in seen_by_additive if (gain := item.gain("accurate")) is not None]
    assert len(gains) == 10
    assert np.mean(gains) > 3 * np.std(gains, ddof=1) / np.sqrt(len(gains))
    for item in seen_by_additive:
        if (shuffled := item.rows["accurate"]["shuffled"]) is not None:
            assert not np.allclose(shuffled, item.rows["accurate"]["relevance"])
            assert (item.agreement("occlusion", correlation) or 0) > 0.3


def test_occlusion_is_the_drop_that_the_model_itself_gives(
    objects: Dataset, additive: LiveModel, seen_by_additive: list[Item]
) -> None:
    choice = choose(objects, SMALL, 0)[0]
    item = next(item for item in seen_by_additive if item.name == choice.item)
    text = choice.prompts["misleading"]
    scores = additive.score_labels([choice.shown, *occluded(choice, SMALL)[:-1]], [text], ("{}",)).values[:, 0]
    np.testing.assert_allclose(item.rows["misleading"]["occlusion"], scores[0] - scores[1:], atol=1e-6)


def test_the_forecast_counts_what_the_workload_does_not(objects: Dataset, additive: LiveModel) -> None:
    assert AUDIT.seconds(cell(objects), additive) > 0
    assert AUDIT.seconds(cell(objects), load_control("null")) == 0.0


# --- bad input --------------------------------------------------------------------------------------------------


def test_images_without_masks(objects: Dataset, additive: LiveModel) -> None:
    mixed = replace(objects, images=[Plain(), *objects.images[:2]], cluster=None)
    few = SMALL.model_copy(update={"checked": 2})
    plain = next(i for i in measured(mixed, additive, few) if i.name == "plain")
    assert plain.mask is None
    assert plain.mass("accurate") is None
    with pytest.raises(DataError, match="need_masks = true, but plain has no transparent ground"):
        measured(mixed, additive, few.model_copy(update={"need_masks": True}))


def test_a_model_of_decisions_is_not_supported(objects: Dataset) -> None:
    with pytest.raises(NotSupported, match="decisions and no scores"):
        measured(objects, load_control("classifier?accuracy=0.9"))


def test_data_that_cannot_mislead(objects: Dataset) -> None:
    one = replace(objects, images=[image for image in objects.images if image.attributes["label"] == "banana"])
    with pytest.raises(DataError, match="no second label without a word of 'banana'"):
        cell(one)
    with pytest.raises(DataError, match="has no column 'label'"):
        cell(replace(objects, columns=("variant",)))
    with pytest.raises(DataError, match="needs a data set"):
        AUDIT.plan(PlanContext(SMALL, 0, None))


@pytest.mark.parametrize("wrong", [{"template": "a photo"}, {"paraphrases": ["{} a", "{} a"]}, {"grid": 2}])
def test_parameters_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AttentionShiftParams.model_validate(wrong)
