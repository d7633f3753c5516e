"""The executor on Ray: workers hold the model, take cells one by one, and hand back what they measured.

Only this process writes into the run directory, so a run on a cluster is stored, locked and resumed as any other. A
worker that dies is replaced, and its cell is given to the next one that is free; `ATTEMPTS` deaths on one cell make an
errored cell of it.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from clipaudit.engine import environment
from clipaudit.engine.executors import Measured, Started, Task
from clipaudit.engine.ray_worker import Facts, Opening, RayWorker
from clipaudit.engine.run import blank
from clipaudit.engine.shard import Shard, weight
from clipaudit.errors import ClipAuditError, ModelError, UsageError
from clipaudit.results import CellStatus, ModelInfo

if TYPE_CHECKING:
    from types import ModuleType

ATTEMPTS = 3
SHARE_IMAGES = 2048
_OBJECT_STORE = 200 << 20  # bytes, for a cluster of this machine alone: rows on their way; more goes to disk
_PATIENCE = 10.0  # seconds
_PASSED_ON = ("CLIPAUDIT_CACHE", "HF_HUB_OFFLINE")


_T = TypeVar("_T")


@dataclass(frozen=True)
class RayOptions:
    """Where the cluster is (None: one of this machine alone, for as long as the run) and how many workers to start
    (None: one for each GPU, or each machine if there is none)."""

    address: str | None = None
    workers: int | None = None


@dataclass(frozen=True)
class _Size:
    workers: int
    cpus: int  # for each
    gpus: int


class RayExecutor:
    """Workers on a Ray cluster. Raises UsageError where Ray, the cluster or enough of it is missing, or the workers do
    not agree on model and plan; ClipAuditError of a worker that cannot open. `run`: the run directory. `note` is told
    of workers that died."""

    def __init__(
        self,
        options: RayOptions,
        opening: Opening,
        run: Path,
        max_error_rate: float,
        note: Callable[[str], None],
    ) -> None:
        self._note = note
        self._ray = _ray()
        lost = self._ray.exceptions
        self._lost = (lost.RayActorError, lost.OutOfMemoryError, lost.NodeDiedError, lost.ObjectLostError)
        self._owned = _connect(self._ray, options.address)
        try:
            self._size = _size(self._ray, options.workers)
            self._start = (opening, Path.cwd(), run.absolute(), max_error_rate)
            self._workers = [self._worker() for _ in range(self._size.workers)]
            self.facts: list[Facts] = [self._open(worker) for worker in self._workers]
            agree(self.facts)
        except BaseException:
            self._leave()
            raise
        self._counted: Counter[str] = Counter()
        self._busy = False

    @property
    def info(self) -> ModelInfo:
        return self.facts[0].info

    @property
    def counters(self) -> Mapping[str, int]:
        return dict(self._counted)

    @property
    def hardware(self) -> Mapping[str, str]:
        return {**self.facts[0].hardware, "workers": f"{self._size.workers} on Ray"}

    def run(self, tasks: Sequence[Task], on_start: Started) -> Iterator[tuple[Task, Measured]]:
        """Where all workers see one cache, they first share the embeddings among them: cells are few and unequal, and
        two at work on the same images would both embed them."""

        def measure(worker: Any, task: Task) -> Any:
            on_start(task.planned)
            return worker.measure.remote(task.name)

        self._busy = True
        if len({fact.cache for fact in self.facts}) == 1:
            names = tuple(task.name for task in tasks)
            for share, done in self._spread(_shares(tasks, len(self._workers)), lambda w, s: w.embed.remote(names, s)):
                if done is None:
                    raise ModelError(
                        f"workers died {ATTEMPTS} times over share {share} of the images; have they memory?"
                    )
        heavy_first = sorted(tasks, key=lambda task: -weight(task.planned))  # the longest must not start last
        for task, measured in self._spread(heavy_first, measure):
            yield task, measured or _given_up(task)
        self._busy = False

    def _spread(self, jobs: Sequence[_T], send: Callable[[Any, _T], Any]) -> Iterator[tuple[_T, Any]]:
        """Each job with what came of it, None if it has cost too many workers. `send` hands one to a worker."""
        waiting, deaths = deque(enumerate(jobs)), Counter[int]()
        idle, busy = list(range(len(self._workers))), dict[Any, tuple[int, int, _T]]()
        while waiting or busy:
            while waiting and idle:
                (number, job), slot = waiting.popleft(), idle.pop()
                busy[send(self._workers[slot], job)] = (slot, number, job)
            ready, _ = self._ray.wait(list(busy), num_returns=1)
            slot, number, job = busy.pop(ready[0])
            try:
                done = self._get(ready[0])
            except self._lost:
                deaths[number] += 1
                what = f"share {job} of the embeddings" if isinstance(job, Shard) else job
                self._note(f"a worker died at {what}: another is started")
                self._replace(slot)
                if deaths[number] < ATTEMPTS:
                    waiting.appendleft((number, job))
                else:
                    yield job, None
            else:
                yield job, done
            idle.append(slot)

    def close(self) -> None:
        """Have the workers write their caches out, then stop them, and the cluster if it was started here. Where the
        run was broken off, at once."""
        try:
            for worker in [] if self._busy else self._workers:
                try:
                    self._counted.update(self._ray.get(worker.finish.remote(), timeout=60))
                except self._ray.exceptions.RayError:
                    continue  # it died: what it had not written is computed again where it is needed
        finally:
            self._leave()

    def _leave(self) -> None:
        for worker in getattr(self, "_workers", []):
            self._ray.kill(worker)
        if self._owned:
            self._ray.shutdown()

    def _worker(self) -> Any:
        actor = self._ray.remote(RayWorker).options(num_cpus=self._size.cpus, num_gpus=self._size.gpus)
        return actor.remote(*self._start)

    def _replace(self, slot: int) -> None:
        self._ray.kill(self._workers[slot])
        self._workers[slot] = self._worker()
        self.facts[slot] = self._open(self._workers[slot])
        agree(self.facts)

    def _open(self, worker: Any) -> Facts:
        try:
            facts: Facts = self._get(worker.open.remote())
        except self._lost as error:
            raise ModelError("a Ray worker died while it loaded the model; is its memory enough?") from error
        return facts

    def _get(self, reference: Any) -> Any:
        """What a worker returned. An error of ours that it met is raised as itself, not as Ray's story of it."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ClipAuditError):
                raise error.cause from None
            raise


def _shares(tasks: Sequence[Task], workers: int) -> list[Shard]:
    """So many that nobody waits long for the last one, and each is worth sending."""
    images = sum(len(task.planned.workload.images) for task in tasks)
    of = max(workers, images // SHARE_IMAGES) if tasks else 0
    return [Shard(index + 1, of) for index in range(of)]


def _ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError("--executor ray needs Ray, which is not installed: pip install 'clipaudit[ray]'") from error
    found: ModuleType = ray
    return found


def _connect(ray: ModuleType, address: str | None) -> bool:
    """Join the cluster, or start one; returns whether it is ours to stop."""
    if ray.is_initialized():
        return False
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "runtime_env": {"env_vars": passed}}
    where = address or os.environ.get("RAY_ADDRESS")
    if where is None:
        ray.init(address="local", include_dashboard=False, object_store_memory=_OBJECT_STORE, **quiet)
        return True
    _answers(where)
    try:
        ray.init(address=where, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"--address {where}: no Ray cluster can be reached there ({reason:.200})") from error
    return True


def _answers(where: str) -> None:
    """UsageError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    match = re.fullmatch(r"(?:ray://)?([^/]+):([0-9]+)", where)
    if match is None:
        return
    try:
        socket.create_connection((match[1], int(match[2])), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"--address {where}: nothing answers there ({error}); is the cluster up?") from error


def _size(ray: ModuleType, workers: int | None) -> _Size:
    """How many workers, and what each may use: equal parts of the smallest machine."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cpus, gpus = (sum(int(node.get(kind, 0)) for node in nodes) for kind in ("CPU", "GPU"))
    chosen = workers or gpus or len(nodes)
    room = gpus or cpus
    if chosen > room:
        what = "GPU" if gpus else "CPU"
        raise UsageError(f"--workers {chosen}: the Ray cluster has {room} {what}s; ask for at most so many")
    on_one = -(-chosen // len(nodes))
    smallest = min(int(node.get("CPU", 0)) for node in nodes)
    return _Size(chosen, max(1, smallest // on_one), 1 if gpus else 0)


def agree(facts: Sequence[Facts]) -> None:
    """UsageError where workers differ, for then the result would depend on who ran what."""
    first = facts[0]
    for other in facts:
        if others := environment.told(other.versions, environment.versions()):
            raise UsageError(f"a worker has {others.replace('now', 'here')}; install the same versions on all machines")
        if other.info.fingerprint != first.info.fingerprint:
            raise UsageError(
                f"the workers hold different models ({first.info.precision} and {other.info.precision} on different "
                "machines?); name one with --precision"
            )
        if other.cells != first.cells:
            raise UsageError("the workers see different data or plug-ins; give all machines the same ones")


def _given_up(task: Task) -> Measured:
    reason = f"the worker died {ATTEMPTS} times while it ran this cell; is its memory enough?"
    return Measured(blank(task.planned.cell, task.key, CellStatus.ERRORED, reason))
