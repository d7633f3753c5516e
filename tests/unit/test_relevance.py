"""Relevance methods against finite differences, an independent library, and what is planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from clipaudit_audits.meaning.relevance.attention import Transformer, attention_maps
from clipaudit_audits.meaning.relevance.gradcam import gradcam_maps, is_convolutional, last_map
from clipaudit_audits.meaning.relevance.leaves import Leaves, score_gradients
from clipaudit_audits.meaning.relevance.occlusion import cell_edges, cell_means, occlusion, spread_cells
from clipaudit_audits.meaning.relevance.shuffling import shuffled
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import nn
from torch.nn import functional

SIDE, WIDTH, DIM = 32, 16, 8


def vit(**options: object) -> nn.Module:
    torch.manual_seed(0)
    tower = VisionTransformer(SIDE, 8, WIDTH, 3, 2, 2.0, output_dim=DIM, **options)
    return tower.eval().requires_grad_(False)


def timm_vit(**options: object) -> nn.Module:
    torch.manual_seed(0)
    import timm

    trunk = timm.create_model(
        "vit_tiny_patch16_224", img_size=SIDE, patch_size=8, depth=3, embed_dim=WIDTH, num_heads=2, num_classes=DIM,
        **options,
    )  # fmt: skip
    return trunk.eval().requires_grad_(False)


def resnet() -> nn.Module:
    torch.manual_seed(0)
    tower = ModifiedResNet((1, 1, 1, 1), DIM, 2, image_size=64, width=8)
    for name, parameter in tower.named_parameters():
        if name.endswith("bn3.weight"):
            nn.init.ones_(parameter)  # zero at first: the branches would add nothing
    return tower.eval().requires_grad_(False)


def pixels(n: int = 2, side: int = SIDE) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(1))


def texts(n: int = 2, many: int = 3) -> torch.Tensor:
    drawn = torch.randn(n, many, DIM, generator=torch.Generator().manual_seed(2))
    return functional.normalize(drawn, dim=-1)


def chefer(tower: nn.Module, image: torch.Tensor, text: torch.Tensor, first: int) -> torch.Tensor:
    """Equations 5 and 6 with derivatives by central differences: each weight of each block is nudged in turn."""
    blocks = list(tower.transformer.resblocks)[first:]
    kept = [weights(tower, image, block) for block in blocks]

    def score(changed: int | None = None, delta: torch.Tensor | None = None) -> float:
        with torch.no_grad():
            vector = functional.normalize(replaced(tower, image, blocks, changed, delta).double(), dim=-1)
            return float(vector[0] @ text.double())

    length = kept[0].shape[-1]
    relevance = torch.eye(length, dtype=torch.float64)
    for number, attention in enumerate(kept):
        gradient = torch.zeros_like(attention)
        for index in np.ndindex(*attention.shape):
            step = torch.zeros_like(attention)
            step[index] = 1e-5
            gradient[index] = (score(number, step) - score(number, -step)) / 2e-5
        relevance = relevance + (gradient * attention).clamp_min(0).mean(dim=(0, 1)) @ relevance
    return relevance[0, 1:].reshape(4, 4)


def weights(tower: nn.Module, image: torch.Tensor, block: nn.Module) -> torch.Tensor:
    """(1, heads, L, L) as torch itself gives them."""
    seen: list[torch.Tensor] = []

    def look(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append(nn.MultiheadAttention.forward(module, *inputs, need_weights=True, average_attn_weights=False)[1])

    handle = block.attn.register_forward_pre_hook(look)
    with torch.no_grad():
        tower(image)
    handle.remove()
    return seen[0]


def replaced(
    tower: nn.Module, image: torch.Tensor, blocks: list[nn.Module], changed: int | None, delta: torch.Tensor | None
) -> torch.Tensor:
    """The embedding with `delta` added to the weights of one block."""

    def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: tuple[torch.Tensor, None]) -> object:
        x = inputs[0]
        value = functional.linear(x, module.in_proj_weight, module.in_proj_bias).chunk(3, dim=-1)[2]
        heads = value.reshape(*x.shape[:2], module.num_heads, -1).transpose(1, 2)
        extra = (delta @ heads).transpose(1, 2).reshape(x.shape) @ module.out_proj.weight.T
        return (output[0] + extra, None)

    if changed is None or delta is None:
        return tower(image)
    handle = blocks[changed].attn.register_forward_hook(add)
    try:
        return tower(image)
    finally:
        handle.remove()


@pytest.mark.parametrize("first", [-1, -2])
def test_attention_maps_are_the_published_rule_with_derivatives_by_differences(first: int) -> None:
    tower = vit().double()
    image, text = pixels(1).double(), texts(1, 1).double()
    known = Transformer.of(tower)
    assert known is not None
    found = attention_maps(tower, known, image, text, first)
    expected = chefer(tower, image, text[0, 0], first)
    np.testing.assert_allclose(found[0, 0].numpy(), expected.numpy(), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("make", [vit, timm_vit, lambda: timm_vit(global_pool="avg"), lambda: vit(pool_type="avg")])
def test_attention_maps_leave_the_tower_as_it_was_and_images_apart(make: object) -> None:
    tower = make()  # type: ignore[operator]
    known = Transformer.of(tower)
    assert known is not None
    before = tower(pixels())
    found = attention_maps(tower, known, pixels(), texts(), 0)
    assert found.shape == (2, 3, 4, 4)
    assert float(found.min()) >= 0
    torch.testing.assert_close(tower(pixels()), before, rtol=0, atol=0)
    alone = attention_maps(tower, known, pixels()[1:], texts()[1:], 0)
    torch.testing.assert_close(found[1:], alone, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("make", [vit, timm_vit])
def test_open_attention_computes_what_the_closed_one_does(make: object) -> None:
    from clipaudit_audits.meaning.relevance.attention import _tapped

    tower = make()  # type: ignore[operator]
    known = Transformer.of(tower)
    assert known is not None
    closed, leaves = tower(pixels()), Leaves()
    with _tapped(known.attentions, leaves):
        opened = tower(pixels())
    torch.testing.assert_close(opened, closed, rtol=1e-4, atol=1e-6)
    assert [tuple(w.shape) for w in leaves.tensors] == [(2, 2, 17, 17)] * 3
    torch.testing.assert_close(leaves.tensors[1].sum(-1), torch.ones(2, 2, 17))


def test_towers_that_no_attention_method_knows() -> None:
    assert Transformer.of(resnet()) is None
    assert Transformer.of(timm_vit(global_pool="map")) is None  # pooled by attention of its own
    assert Transformer.of(vit(attentional_pool=True, attn_pooler_queries=4, attn_pooler_heads=2)) is None
    assert not is_convolutional(vit())
    assert is_convolutional(resnet())


def test_gradcam_equals_captum() -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    tower, image, text = resnet(), pixels(2, 64), texts()

    def score(x: torch.Tensor) -> torch.Tensor:
        return tower(x) @ text[0, 1]

    expected = captum.LayerGradCam(score, tower.layer4).attribute(image.requires_grad_(), relu_attributions=False)
    found = gradcam_maps(tower, tower, image.detach(), text[:1].expand(2, -1, -1))
    assert found.shape == (2, 3, 2, 2)
    torch.testing.assert_close(found[:, 1:2], expected.detach(), rtol=1e-4, atol=1e-7)


def test_gradcam_of_a_linear_head_is_exact_in_closed_form() -> None:
    """With mean pooling and a linear head, a place's relevance is what its features give to the score."""
    torch.manual_seed(0)
    tower = nn.Sequential(
        nn.Conv2d(3, 6, 8, 8), nn.Conv2d(6, 6, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, DIM)
    ).eval()
    image, text = pixels(1), texts(1, 1)
    features = tower[1](tower[0](image))[0].detach()
    expected = torch.einsum("d,dc,chw->hw", text[0, 0], tower[4].weight.detach(), features) / 16
    torch.testing.assert_close(gradcam_maps(tower, tower, image, text)[0, 0], expected, rtol=1e-4, atol=1e-7)


def test_last_map_is_the_last_one_with_places() -> None:
    tower = resnet()
    assert last_map(tower, tower, pixels(1, 64)) is tower.layer4
    with pytest.raises(ValueError, match="no module"):
        last_map(flat := nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, DIM)), flat, pixels(1))


def test_timm_convolutional_tower_inside_open_clip() -> None:
    torch.manual_seed(0)
    tower = TimmModel("efficientnet_lite0", DIM, image_size=64, pool="avg", proj="linear").eval().requires_grad_(False)
    assert Transformer.of(tower) is None
    assert is_convolutional(tower)
    assert gradcam_maps(tower, tower, pixels(2, 64), texts()).shape == (2, 3, 2, 2)


def test_gradients_of_a_network_that_meets_nothing() -> None:
    with pytest.raises(RuntimeError, match="met none"):
        score_gradients(lambda x: x.flatten(1)[:, :DIM], pixels(), texts(), Leaves(), cosine=True)


def test_shuffled_weights_are_the_same_numbers_and_come_back() -> None:
    tower = resnet()
    before = {name: p.clone() for name, p in tower.named_parameters()}
    with pytest.raises(KeyError), shuffled(tower, 3):  # noqa: PT012
        weight = tower.layer4[0].conv1.weight
        assert not torch.equal(weight, before["layer4.0.conv1.weight"])
        torch.testing.assert_close(weight.flatten().sort()[0], before["layer4.0.conv1.weight"].flatten().sort()[0])
        raise KeyError
    assert all(torch.equal(p, before[name]) for name, p in tower.named_parameters())


def test_occlusion_is_the_drop_by_patch() -> None:
    whole, covered = np.array([1.0, 2.0]), np.arange(8.0).reshape(4, 2)
    assert occlusion(whole, covered).tolist() == [[[1.0, -1.0], [-3.0, -5.0]], [[1.0, -1.0], [-3.0, -5.0]]]
    with pytest.raises(ValueError, match="square"):
        occlusion(whole, covered[:3])


def test_occlusion_equals_captums_ablation() -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    tower, image, text = vit(), pixels(1), texts(1, 1)

    def cosine(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return functional.normalize(tower(x), dim=-1) @ text[0, 0]

    cells = torch.from_numpy(spread_cells(np.arange(16).reshape(4, 4), SIDE).astype(np.int64))
    expected = captum.FeatureAblation(cosine).attribute(image, baselines=0.5, feature_mask=cells)[0, 0]
    covered = []
    for cell in range(16):
        changed = image.clone()
        changed[0, :, cells == cell] = 0.5
        covered.append([float(cosine(changed))])
    found = occlusion(np.array([float(cosine(image))]), np.array(covered))[0]
    np.testing.assert_allclose(cell_means(expected.double().numpy(), 4), found, atol=1e-6)


def test_cells_cover_every_pixel_once() -> None:
    assert cell_edges(224, 7).tolist() == list(range(0, 225, 32))
    values = np.random.default_rng(0).random((3, 3))
    np.testing.assert_allclose(cell_means(spread_cells(values, 10).astype(float), 3), values)
