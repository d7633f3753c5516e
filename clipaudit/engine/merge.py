"""From the shares of a run to the whole: the same result.json, byte for byte, as one process would have written."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from clipaudit.engine.store import RunStore, storing
from clipaudit.errors import UsageError
from clipaudit.results import CellResult, CellStatus, Manifest, RunResult, ShardInfo


@dataclass(frozen=True)
class Part:
    """One finished share of a run."""

    store: RunStore
    manifest: Manifest
    shard: ShardInfo
    result: RunResult

    @property
    def name(self) -> str:
        return str(self.store.root)


def open_part(path: Path) -> Part:
    """A finished share; UsageError in one line where it is none, or not done, or not as it was written."""
    store = RunStore(path)
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory; give the directories of clipaudit run ... --shard I/N --out DIR")
    manifest = store.manifest()
    if manifest is None:
        raise UsageError(f"{path}: no manifest.json here; is it the directory of a run?")
    if manifest.shard is None:
        raise UsageError(f"{path}: a whole run, not a share of one; only what --shard made can be merged")
    if manifest.finished is None or not (path / "result.json").is_file():
        raise UsageError(
            f"{path}: shard {manifest.shard} was interrupted; give its clipaudit run command again, it resumes"
        )
    if hashlib.sha256((path / "result.json").read_bytes()).hexdigest() != manifest.result_digest:
        raise UsageError(f"{path}: result.json is not as the run wrote it; give its clipaudit run command again")
    return Part(store, manifest, manifest.shard, store.result())


def merge(paths: Sequence[Path], out: Path) -> tuple[RunResult, Manifest]:
    """Merge every share of one run into `out`. UsageError where shares are missing, doubled or of different runs."""
    parts = sorted((open_part(path) for path in paths), key=lambda part: part.shard.index)
    for first, second in ((parts[0], other) for other in parts[1:]):
        _comparable(first, second)
    _complete(parts)
    found = _cells(parts)
    first = parts[0]
    result = first.result.model_copy(update={"cells": tuple(found[name][1] for name in first.shard.cells)})
    store = RunStore(out)
    if out.resolve() in {part.store.root.resolve() for part in parts}:
        raise UsageError(f"--out {out}: is one of the shares; choose another directory")
    with store.writing():
        _free_for(store, first)
        manifest = _manifest(parts)
        store.write_manifest(manifest.model_copy(update={"finished": None}))
        for part, cell in found.values():
            _copy(part, cell, store)
        manifest = manifest.model_copy(update={"result_digest": store.write_result(result)})
        manifest = store.accounted(manifest, result)
        store.write_manifest(manifest)
    return result, manifest


def _comparable(one: Part, other: Part) -> None:
    if one.shard.of != other.shard.of:
        raise UsageError(
            f"{one.name} is shard {one.shard}, {other.name} shard {other.shard}: not of one run; "
            "merge only what was dealt with the same N"
        )
    for what, mend, mine, theirs in _facts(one, other):
        if mine != theirs:
            raise UsageError(f"{one.name} and {other.name} have different {what} ({mine}; {theirs}); {mend}")
    if one.shard.cells != other.shard.cells:
        odd = sorted(set(one.shard.cells) ^ set(other.shard.cells))
        which = f"; only one of them has {odd[0]}" if odd else ""
        raise UsageError(f"{one.name} and {other.name} planned different cells{which}; run both with the same options")


def _facts(one: Part, other: Part) -> Iterator[tuple[str, str, str, str]]:
    """What, how to mend it, here, there."""
    a, b = one.result, other.result
    yield "versions of clipaudit", "run all shares with one", a.clipaudit_version, b.clipaudit_version
    mend = "run all with the same model, and name its --precision where machines differ"
    yield "models", mend, _model(one), _model(other)
    yield "seeds", "run all with the same --seed", str(a.seed), str(b.seed)
    mend = "run all with the same suite, --audit and --set"
    yield "suites", mend, _suite(one), _suite(other)
    for data in sorted(one.manifest.data.keys() & other.manifest.data.keys()):
        here, there = (part.manifest.data[data][:12] for part in (one, other))
        yield f"data under the name {data!r}", "run all on the same data with the same --limit", here, there


def _model(part: Part) -> str:
    info = part.result.model
    return f"{info.name} {info.precision} {part.manifest.model_fingerprint[:12]}"


def _suite(part: Part) -> str:
    return f"{part.result.suite} {part.manifest.suite_digest[:12]}"


def _complete(parts: Sequence[Part]) -> None:
    for one, other in pairwise(parts):
        if one.shard.index == other.shard.index:
            raise UsageError(f"{one.name} and {other.name} are both shard {one.shard}; give each once")
    missing = sorted(set(range(1, parts[0].shard.of + 1)) - {part.shard.index for part in parts})
    if missing:
        named = ", ".join(f"{index}/{parts[0].shard.of}" for index in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise UsageError(f"shard {named}{more} is missing; run it with --shard, and give its directory as well")


def _cells(parts: Sequence[Part]) -> dict[str, tuple[Part, CellResult]]:
    """Every cell of the run by name, in order, with the share that ran it."""
    found: dict[str, tuple[Part, CellResult]] = {}
    for part in parts:
        for cell in part.result.cells:
            name = f"{cell.slug}-{cell.key}"
            if name in found and found[name][0] is not part:
                raise UsageError(f"{found[name][0].name} and {part.name} both ran {name}; run one of them anew")
            found[name] = (part, cell)
    wanted = parts[0].shard.cells
    for name in sorted(set(wanted) ^ set(found)):
        where = "no share ran it" if name in wanted else f"{found[name][0].name} has it, but it is not of this run"
        raise UsageError(f"{name}: {where}; run the shares anew with one version of clipaudit")
    return {name: found[name] for name in dict.fromkeys(wanted)}


def _free_for(store: RunStore, part: Part) -> None:
    """UsageError where `store` holds something else than this run, whole."""
    old = store.manifest()
    if old is None:
        return
    same = all(
        getattr(old, what) == getattr(part.manifest, what) for what in ("suite_digest", "model_fingerprint", "seed")
    )
    if old.shard is not None or not same:
        raise UsageError(f"{store.root} holds another run; choose another --out or remove it")


def _copy(part: Part, cell: CellResult, store: RunStore) -> None:
    source, target = part.store.folder(cell.slug, cell.key), store.folder(cell.slug, cell.key)
    if cell.status is CellStatus.DONE and (wrong := part.store.fault(cell.slug, cell.key)):
        raise UsageError(f"{source}: {wrong}; give the clipaudit run command of shard {part.shard} again")
    if not source.is_dir():  # what was not run, or failed, leaves no rows
        return
    partial = target.with_name(f".partial-{target.name}")
    with storing(target):
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial)
        shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)


def _manifest(parts: Sequence[Part]) -> Manifest:
    """Sums over the shares; machine and packages are the first one's."""
    manifests = [part.manifest for part in parts]
    passes: dict[str, int] = {}
    for one in manifests:
        for kind, count in one.forward_passes.items():
            passes[kind] = passes.get(kind, 0) + count
    return manifests[0].model_copy(
        update={
            "shard": None,
            "started": min(one.started for one in manifests),
            "finished": max(one.finished or "" for one in manifests),
            "seconds": round(sum(one.seconds or 0.0 for one in manifests), 3),
            "forward_passes": passes,
            "cell_seconds": {name: s for one in manifests for name, s in one.cell_seconds.items()},
        }
    )
