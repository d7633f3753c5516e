"""What runs on a machine of a Ray cluster: a process that holds the plan and the model, and is handed cells by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit.engine import environment
from clipaudit.engine.executors import Measured, Task
from clipaudit.engine.run import InProcess
from clipaudit.engine.shard import cell_names
from clipaudit.engine.store import RunStore
from clipaudit.errors import UsageError
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    from clipaudit.engine.plan import Plan, PlannedCell
    from clipaudit.models.protocol import Model

Opening = Callable[[], "tuple[Plan, Model]"]


@dataclass(frozen=True)
class Facts:
    """What a worker found when it opened. cells: names of the whole plan, in order."""

    pid: int
    versions: Mapping[str, str]
    info: ModelInfo
    cells: tuple[str, ...]
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
        self._planned: dict[str, PlannedCell] = {}
        self._cells: InProcess | None = None

    def open(self) -> Facts:
        """Plan, load the model, and say what came out."""
        plan, model = self._opening()
        self._cells = InProcess(model, self._store.scratch, self._max_error_rate, lambda planned, error: None)
        names = cell_names(plan, model.info.fingerprint)
        self._planned = dict(zip(names, plan.cells, strict=False))  # names of what cannot be run come last
        return Facts(os.getpid(), environment.versions(), model.info, names, environment.hardware())

    def measure(self, name: str) -> Measured:
        """Run one cell."""
        if self._cells is None:
            raise UsageError("the worker was asked for a cell before it had opened")
        task = Task(self._planned[name], name.rpartition("-")[2])
        measured = self._cells.measure(task)
        shutil.rmtree(self._store.scratch(task.planned.cell.slug, task.key), ignore_errors=True)
        return measured

    def finish(self) -> Mapping[str, int]:
        """Write the cache out; returns the forward passes made and spared."""
        if self._cells is None:
            return {}
        self._cells.close()
        return self._cells.counters
