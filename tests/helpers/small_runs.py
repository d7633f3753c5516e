"""Runs that take half a second of computing: forty small images, a tiny encoder, two audits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from forks import Child, Forks
from PIL import Image

SUITE = """
id = "small"
title = "Small"
[[audits]]
id = "calibration"
data = "shapes"
[[audits]]
id = "prompts"
data = "shapes"
params = { templates = ["a photo of a {}.", "a drawing of a {}."] }
"""
CARD = """
id = "shapes"
title = "Shapes"
licence = "CC0-1.0"
consent = "noise; no people"
images = "{label}/{file}"
thumbnails = true
"""
IMAGES, TEXTS = 40, 4  # distinct ones of an undisturbed run


def draw(path: Path, seed: int) -> None:
    """A picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(path)


def shapes(folder: Path) -> Path:
    """The data set."""
    for seed in range(IMAGES):
        draw(folder / ("round" if seed % 2 else "square") / f"{seed:02}.png", seed)
    (folder / "clipaudit.toml").write_text(CARD)
    return folder


@dataclass
class Small:
    """Runs in `folder`, with a cache, a data set and a log of what was computed of their own."""

    forks: Forks
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "small.toml").write_text(SUITE)
        self.env = {"CLIPAUDIT_CACHE": str(self.folder / "cache"), "SLOW_LOG": str(self.log)} | self.env

    @property
    def log(self) -> Path:
        return self.folder / "computed.log"

    @property
    def computed(self) -> Counter[str]:
        """How often each image and text was computed."""
        return Counter(self.log.read_text().splitlines()) if self.log.exists() else Counter()

    def arguments(self, out: str | Path = "out") -> tuple[str, ...]:
        if not (self.folder / "shapes").exists():
            shapes(self.folder / "shapes")
        return ("run", "small.toml", "--model", "py:slow_encoder:build", "--data", "shapes", "--out", str(out))

    def start(self, *more: str, out: str | Path = "out", env: Mapping[str, str] | None = None, **options: Any) -> Child:
        return self.call(*self.arguments(out), *more, env=env, **options)

    def run(
        self, *more: str, out: str | Path = "out", env: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[int, Child]:
        child = self.start(*more, out=out, env=env, **options)
        return child.wait(), child

    def call(self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> Child:
        options = {"watch": str(self.folder)} | options
        return self.forks.start(self.folder, *arguments, env=self.env | dict(env or {}), **options)


def kept(out: Path) -> dict[str, bytes]:
    """What a run found, byte for byte: result.json and all files of the cells that it names."""
    result = out / "result.json"
    found = {"result.json": result.read_bytes()}
    for cell in json.loads(found["result.json"])["cells"]:
        folder = out / "cells" / f"{cell['slug']}-{cell['key']}"
        found |= {f"{folder.name}/{path.relative_to(folder)}": path.read_bytes() for path in _files(folder)}
    return found


def leftovers(out: Path) -> list[str]:
    """What a finished run must not leave."""
    odd = (".partial-", ".old-")
    return [
        str(path.relative_to(out))
        for path in out.rglob("*")
        if path.name.startswith(odd) or path.name.endswith(".tmp") or (path.parent.name == "scratch")
    ]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def the_error(child: Child) -> str:
    """The one line that it said it failed with."""
    assert "Traceback" not in child.said, child.said
    lines = [line for line in child.said.splitlines() if line.startswith(("error: ", "internal error: "))]
    assert len(lines) == 1, child.said
    return lines[0]


def is_stopped(pid: int) -> bool:
    """Whether a process has been stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
