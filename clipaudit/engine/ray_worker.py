"""What runs on a machine of a Ray cluster: a process that holds the plan and the model, and is handed cells by name."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit.embedding.live import LiveModel
from clipaudit.engine import environment
from clipaudit.engine.executors import Measured, Task
from clipaudit.engine.fill import fill
from clipaudit.engine.run import InProcess, hindrance
from clipaudit.engine.shard import Shard, cell_names
from clipaudit.engine.store import RunStore
from clipaudit.paths import cache_root
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    from clipaudit.engine.plan import Plan
    from clipaudit.models.protocol import Model

Opening = Callable[[], "tuple[Plan, Model]"]


@dataclass(frozen=True)
class Facts:
    """What a worker found when it opened. cells: names of the whole plan, in order. cache: the same for workers that
    see one embedding cache."""

    pid: int
    versions: Mapping[str, str]
    info: ModelInfo
    cells: tuple[str, ...]
    cache: str
    hardware: Mapping[str, str]


class RayWorker:
    """Opens by itself: plan and model are made where they are used, from the same request, and never sent.

    `folder`: where the command was given. `run`: the run directory, where long cells keep what they have done so far;
    a machine that does not see it makes a folder of that name, which is cleared away when the cell is done.
    """

    def __init__(self, opening: Opening, folder: Path, run: Path, max_error_rate: float) -> None:
        if folder.is_dir():  # paths in a request are relative to it
            os.chdir(folder)
        self._opening = opening
        self._store = RunStore(run)
        self._max_error_rate = max_error_rate

    def open(self) -> Facts:
        """Plan, load the model, and say what came out. Before anything else."""
        self._plan, self._model = self._opening()
        info = self._model.info
        self._cells = InProcess(self._model, self._store.scratch, self._max_error_rate, lambda planned, error: None)
        names = cell_names(self._plan, info.fingerprint)
        self._planned = dict(zip(names, self._plan.cells, strict=False))  # names of what cannot be run come last
        cache = mark(cache_root())
        return Facts(os.getpid(), environment.versions(), info, names, cache, environment.hardware())

    def embed(self, names: Sequence[str], shard: Shard) -> int:
        """Embed a share of what these cells show the model, into the cache; returns how many items were computed."""
        if not isinstance(self._model, LiveModel):
            return 0
        able = [self._planned[name] for name in names if not hindrance(self._planned[name], self._model)]
        return fill(replace(self._plan, cells=tuple(able)), self._model, shard).computed

    def measure(self, name: str) -> Measured:
        """Run one cell."""
        task = Task(self._planned[name], name.rpartition("-")[2])
        measured = self._cells.measure(task)
        shutil.rmtree(self._store.scratch(task.planned.cell.slug, task.key), ignore_errors=True)
        return measured

    def finish(self) -> Mapping[str, int]:
        """Write the cache out; returns the forward passes made and spared."""
        self._cells.close()
        return self._cells.counters


def mark(folder: Path) -> str:
    """What is written in a file of the folder: the same for all that see it. Another each time where it cannot be."""
    own = uuid.uuid4().hex
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".{own}.tmp").write_text(own, encoding="ascii")
        with suppress(FileExistsError):
            os.link(folder / f".{own}.tmp", folder / ".mark")
        (folder / f".{own}.tmp").unlink()
        return (folder / ".mark").read_text(encoding="ascii")
    except OSError:
        return own
