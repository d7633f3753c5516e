"""Who runs cells: `run.InProcess` here, one after the other, unless an executor is given that sends them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from clipaudit.engine.plan import PlannedCell
from clipaudit.results import CellResult, ModelInfo

if TYPE_CHECKING:
    import pyarrow as pa

Started = Callable[[PlannedCell], None]


@dataclass(frozen=True)
class Task:
    """A cell to run, and its key with the model at hand."""

    planned: PlannedCell
    key: str

    @property
    def name(self) -> str:
        return f"{self.planned.cell.slug}-{self.key}"

    def __str__(self) -> str:
        return self.planned.cell.title or self.planned.cell.slug


@dataclass(frozen=True)
class Measured:
    """What came of a task. rows: None where there is nothing to keep, as the cell was not run or failed."""

    result: CellResult
    rows: pa.Table | None = None
    thumbs: Mapping[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0


class Executor(Protocol):
    """Runs tasks, in any order and anywhere, with one model. It writes nothing: results go to whoever asked."""

    @property
    def info(self) -> ModelInfo:
        """The model, as those who run the cells see it."""

    @property
    def counters(self) -> Mapping[str, int]:
        """Forward passes made and spared."""

    @property
    def hardware(self) -> Mapping[str, str]:
        """What cells run on, for the manifest."""

    def run(self, tasks: Sequence[Task], on_start: Started) -> Iterator[tuple[Task, Measured]]:
        """Each task once, as it is done. StorageError ends the run; whatever else goes wrong is the cell's result."""

    def close(self) -> None:
        """Let go of the model and of the workers."""
