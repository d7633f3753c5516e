"""Robust accuracy and time beside pyautoattack and foolbox: the same model, images, radii and steps.

Each library gets the network as open_clip makes it, and one radius at a time, which is how it is used; ours takes what
a smaller radius left standing to the next. pyautoattack runs the same two attacks. foolbox has no APGD: its PGD and FGSM
are what people run instead, weaker, so that they leave at least as much accuracy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from bench_images import reference
from clipaudit_audits.robustness.attacks.balls import ball
from clipaudit_audits.robustness.attacks.ensemble import Budget, Subjects, attack
from clipaudit_audits.robustness.attacks.victim import Victim
from side_by_side import Bench, Side, flops

from clipaudit.data.registry import DataRegistry
from clipaudit.zeroshot import prompts

IMAGES, CLASSES, STEPS, TARGETS, BATCH = 12, 10, 10, 3, 16
RADII = (0.5 / 255, 1 / 255)
Accuracies = list[float]  # robust, at each radius


def benches() -> Iterator[Bench]:
    _, network, preprocess, encoder = reference()
    pixels, labels, names = photographs(IMAGES, encoder)
    with torch.no_grad():
        vectors = encoder.encode_texts(prompts(names, ["a photo of a {}."]))
    weights = torch.nn.functional.normalize(vectors, dim=1).clone()
    scale = encoder.info.logit_scale or 1.0
    theirs = Plain(network, preprocess, weights, scale)
    one = pixels[:1].clone().requires_grad_()
    forward = flops(lambda: theirs(one))
    backward = flops(lambda: torch.autograd.backward(theirs(one).sum())) - forward
    for title, attacks, other in (
        ("pyautoattack, APGD and targeted APGD", ("apgd-ce", "apgd-t"), autoattack),
        ("foolbox, PGD", ("apgd-ce",), pgd),
    ):
        budget = Budget(attacks, steps=STEPS, targets=TARGETS)  # type: ignore[arg-type]
        ours = Ours(encoder, weights, scale, pixels, labels, budget)
        fgsm_leaves = fgsm(theirs, pixels, labels) if other is pgd else None
        yield Bench(
            f"attack, {title}",
            Side("clipaudit", ours.run, lambda ours=ours: ours.passes(forward, backward)),  # type: ignore[misc]
            Side(title, lambda other=other: other(theirs.reset(), pixels, labels),  # type: ignore[misc]
                 lambda: theirs.forwards * forward + theirs.backwards * backward),
            _agreement(fgsm_leaves), rounds=3,
        )  # fmt: skip


class Ours:
    """Our attacks over the radii, smallest first, each on what is left."""

    def __init__(
        self, encoder: Any, weights: torch.Tensor, scale: float, pixels: torch.Tensor, labels: torch.Tensor, budget: Budget
    ) -> None:  # fmt: skip
        self.encoder, self.weights, self.scale, self.budget = encoder, weights, scale, budget
        self.pixels, self.labels = pixels, labels

    def run(self) -> Accuracies:
        self.victim = victim = Victim(self.encoder, self.weights, self.scale)
        scores = victim.scores(self.pixels)
        right = torch.nonzero(scores.argmax(dim=1) == self.labels)[:, 0]
        standing = Subjects(self.pixels[right], self.labels[right], scores[right], tuple(right.tolist()))
        left = []
        for eps in RADII:
            found = attack(victim, standing, ball("linf", eps), self.budget)
            standing = standing.only(torch.nonzero(~found.reached)[:, 0])
            left.append(len(standing) / len(self.labels))
        return left

    def passes(self, forward: float, backward: float) -> float:
        return self.victim.forwards * forward + self.victim.backwards * backward


class Plain(torch.nn.Module):
    """The network as open_clip makes it, with the same class weights; counts the images that pass."""

    def __init__(self, network: Any, preprocess: Any, weights: torch.Tensor, scale: float) -> None:
        super().__init__()
        self.network, self.weights, self.scale = network.requires_grad_(False), weights, scale
        normalize = preprocess.transforms[-1]
        self.mean, self.std = (torch.tensor(v).view(1, 3, 1, 1) for v in (normalize.mean, normalize.std))
        self.forwards = self.backwards = 0

    def reset(self) -> Plain:
        self.forwards = self.backwards = 0
        return self.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.forwards += len(pixels)
        self.backwards += len(pixels) * pixels.requires_grad
        vectors = self.network.encode_image((pixels - self.mean) / self.std, normalize=True)
        logits: torch.Tensor = self.scale * vectors @ self.weights.T
        return logits


def autoattack(model: Plain, pixels: torch.Tensor, labels: torch.Tensor) -> Accuracies:
    from pyautoattack import AutoAttack

    left = []
    for eps in RADII:
        adversary = AutoAttack(model, norm="Linf", eps=eps, seed=0, version="custom", attacks=["apgd-ce", "apgd-t"])
        adversary.apgd.n_restarts, adversary.apgd.n_iter = 1, STEPS
        adversary.apgd_targeted.n_restarts, adversary.apgd_targeted.n_iter = 1, STEPS
        adversary.apgd_targeted.n_target_classes = TARGETS
        points, *_ = adversary.run_standard_evaluation(pixels, labels, batch_size=BATCH)
        left.append(_accuracy(model, points, labels))
    return left


def pgd(model: Plain, pixels: torch.Tensor, labels: torch.Tensor) -> Accuracies:
    """Steps of 2.5 radii over their number, as Madry et al. 2018 choose them; a random start."""
    import foolbox

    return _foolbox(foolbox.attacks.LinfPGD(rel_stepsize=2.5 / STEPS, steps=STEPS), model, pixels, labels)


def fgsm(model: Plain, pixels: torch.Tensor, labels: torch.Tensor) -> Accuracies:
    import foolbox

    return _foolbox(foolbox.attacks.FGSM(), model, pixels, labels)


def _foolbox(method: Any, model: Plain, pixels: torch.Tensor, labels: torch.Tensor) -> Accuracies:
    from foolbox.models.pytorch import PyTorchModel

    torch.manual_seed(0)  # of its random start
    wrapped = PyTorchModel(model.eval(), bounds=(0, 1), device="cpu")
    _, _, reached = method(wrapped, pixels, labels, epsilons=list(RADII))
    return [1 - float(row.float().mean()) for row in reached]


def _accuracy(model: Plain, points: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return float((model(points).argmax(dim=1) == labels).float().mean())


def _agreement(fgsm_leaves: Accuracies | None) -> Callable[[Accuracies, Accuracies], str]:
    def agree(ours: Accuracies, theirs: Accuracies) -> str:
        text = (
            f"robust accuracy at {_each(255 * eps for eps in RADII)} / 255: {_shares(ours)} against {_shares(theirs)}"
        )
        return text if fgsm_leaves is None else f"{text}; FGSM leaves {_shares(fgsm_leaves)}"

    return agree


def _shares(values: Sequence[float]) -> str:
    return " and ".join(f"{value:.0%}" for value in values)


def _each(values: Iterator[float]) -> str:
    return " and ".join(f"{value:g}" for value in values)


def photographs(number: int, encoder: Any) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """Pixels, labels and class names of the largest classes, one image of each class after the other."""
    data = DataRegistry({}).open("tuxpaint-stamps")
    counts = Counter(data.column("label"))
    names = sorted(name for name, _ in counts.most_common(CLASSES))
    turns = {name: [i for i in data.images if i.attributes["label"] == name] for name in names}
    chosen = [turns[name][k] for k in range(max(counts.values())) for name in names if k < len(turns[name])][:number]
    pixels = torch.stack([encoder.preprocess(image.load()) for image in chosen])
    return pixels, torch.tensor([names.index(image.attributes["label"]) for image in chosen]), names
