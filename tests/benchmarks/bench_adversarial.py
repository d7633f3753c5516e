"""Robust accuracy and time beside pyautoattack: the same model, images, radii and budget, in one process.

python tests/benchmarks/bench_adversarial.py [images] [steps] [targets]

Both run APGD on cross-entropy, then targeted APGD, on the reference encoder in float32 and photographs of
tuxpaint-stamps. The library gets the network as open_clip makes it, and one radius at a time, which is how it is used.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import chdir
from typing import Literal

import numpy as np
import torch
from clipaudit_audits.robustness.attacks.balls import Norm, ball
from clipaudit_audits.robustness.attacks.ensemble import Budget, Subjects, attack
from clipaudit_audits.robustness.attacks.victim import Victim
from pyautoattack import AutoAttack

from clipaudit.data.registry import DataRegistry
from clipaudit.models.load import load_encoder
from clipaudit.models.precision import bfloat16_units
from clipaudit.zeroshot import prompts

CLASSES, BATCH = 10, 16
RADII: tuple[tuple[Norm, float], ...] = tuple(("linf", k / 255) for k in (0.25, 0.5, 1.0, 2.0, 4.0))


def main() -> None:
    number, steps, targets = (int(a) for a in (*sys.argv[1:], *("16", "100", "9")[len(sys.argv) - 1 :]))
    encoder = load_encoder("reference")
    if not bfloat16_units(encoder.device):
        print("bfloat16: not measured, this hardware computes it no faster than float32")
    pixels, labels, names = photographs(number)
    with torch.no_grad():
        vectors = encoder.encode_texts(prompts(names, ["a photo of a {}."]))
    weights = torch.nn.functional.normalize(vectors, dim=1).clone()
    victim = Victim(encoder, weights, encoder.info.logit_scale or 1.0)
    plain = Plain(weights, victim.scale)
    with torch.no_grad():
        same = float((plain(pixels) - victim.scores(pixels)).abs().max())
    print(f"{number} images, {len(names)} classes, {steps} steps, {targets} targets")
    print(f"largest difference of logits {same:.1e}")
    scores = victim.scores(pixels)
    right = torch.nonzero(scores.argmax(dim=1) == labels)[:, 0]
    standing = Subjects(pixels[right], labels[right], scores[right], tuple(right.tolist()))
    budget = Budget(("apgd-ce", "apgd-t"), steps=steps, targets=targets)
    print("radius     ours                 pyautoattack          time, ours : theirs")
    sums = np.zeros(2)
    for norm, eps in RADII:
        started = time.perf_counter()
        found = attack(victim, standing, ball(norm, eps), budget)
        ours = time.perf_counter() - started
        left = float((~found.reached).sum()) / number
        standing = standing.only(torch.nonzero(~found.reached)[:, 0])
        theirs_left, theirs = library(plain, pixels, labels, norm, eps, steps, targets)
        sums += ours, theirs
        print(
            f"{eps * 255:.2f}/255  {100 * left:5.1f} % in {ours:6.1f} s  {100 * theirs_left:5.1f} % in {theirs:6.1f} s"
            f"   {ours / theirs:.2f}",
            flush=True,
        )
    print(f"all radii: {sums[0]:.1f} s against {sums[1]:.1f} s, ratio {sums[0] / sums[1]:.2f}")


class Plain(torch.nn.Module):
    """The reference encoder's network as open_clip makes it, with the same class weights."""

    def __init__(self, weights: torch.Tensor, scale: float) -> None:
        super().__init__()
        import open_clip

        from clipaudit.models.reference import ensure_reference

        with chdir(ensure_reference()):  # its configuration names the text tower's files relative to the folder
            network, _, preprocess = open_clip.create_model_and_transforms("local-dir:.")
        self.network = network.eval()
        self.weights, self.scale = weights, scale
        normalize = preprocess.transforms[-1]
        self.mean, self.std = (torch.tensor(v).view(1, 3, 1, 1) for v in (normalize.mean, normalize.std))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        vectors = self.network.encode_image((pixels - self.mean) / self.std, normalize=True)
        return self.scale * vectors @ self.weights.T


def library(
    model: torch.nn.Module, pixels: torch.Tensor, labels: torch.Tensor, norm: Norm, eps: float, steps: int, targets: int
) -> tuple[float, float]:
    """Robust accuracy and seconds."""
    name: Literal["Linf", "L2"] = "Linf" if norm == "linf" else "L2"
    adversary = AutoAttack(model, norm=name, eps=eps, seed=0, version="custom", attacks=["apgd-ce", "apgd-t"])
    adversary.apgd.n_restarts, adversary.apgd.n_iter = 1, steps
    adversary.apgd_targeted.n_restarts, adversary.apgd_targeted.n_iter = 1, steps
    adversary.apgd_targeted.n_target_classes = targets
    started = time.perf_counter()
    points, *_ = adversary.run_standard_evaluation(pixels, labels, batch_size=BATCH)
    seconds = time.perf_counter() - started
    with torch.no_grad():
        return float((model(points).argmax(dim=1) == labels).float().mean()), seconds


def photographs(number: int) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """Pixels, labels and class names of the largest classes, one image of each class after the other."""
    data, encoder = DataRegistry({}).open("tuxpaint-stamps"), load_encoder("reference")
    counts = Counter(data.column("label"))
    names = sorted(name for name, _ in counts.most_common(CLASSES))
    turns = {name: [i for i in data.images if i.attributes["label"] == name] for name in names}
    chosen = [turns[name][k] for k in range(max(counts.values())) for name in names if k < len(turns[name])][:number]
    pixels = torch.stack([encoder.preprocess(image.load()) for image in chosen])
    return pixels, torch.tensor([names.index(image.attributes["label"]) for image in chosen]), names


if __name__ == "__main__":
    main()
