"""Data sets on the Hugging Face hub at a pinned revision, through `datasets`."""

from __future__ import annotations

from typing import Any

from clipaudit.data.card import HubSource
from clipaudit.data.loaded import Loaded
from clipaudit.data.rows import row_items
from clipaudit.errors import DataUnavailable
from clipaudit.text import printable

_PATIENCE = 10.0  # seconds for the hub's first answer


def open_hub(source: HubSource, *, offline: bool = False) -> Loaded:
    """One item per row of the split. Raises DataUnavailable where neither the network nor the local cache has it."""
    return hub_items(source, _load(source, offline=offline))


def hub_items(source: HubSource, rows: Any) -> Loaded:
    """Items of a loaded split (a `datasets.Dataset`). Raises DataError naming a missing column."""
    name = f"hub:{source.repo}@{source.revision[:7]} ({source.split})"
    items = row_items(rows, name=name, image=source.image, id=source.id, rename=source.rename, root=None)
    return Loaded(items, name, identity=f"{source.repo}@{source.revision}/{source.config}/{source.split}")


def hub_reach(source: HubSource, *, offline: bool = False) -> str | None:
    """Without asking the network: out of reach only where it is not to be used and the revision is not cached."""
    if not (offline or _offline_by_environment()):
        return None
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        repos = frozenset()
    cached = any(
        revision.commit_hash == source.revision
        for repo in repos
        if repo.repo_id == source.repo and repo.repo_type == "dataset"
        for revision in repo.revisions
    )
    return None if cached else f"hub:{source.repo} is not in the local cache, and the network is not to be used"


def _offline_by_environment() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _unanswered(source: HubSource) -> bool:
    """Whether the network is not there but the local cache is. Raises what the hub's client raises if neither is."""
    from huggingface_hub import HfApi

    try:  # `datasets` would try for half a minute
        HfApi().dataset_info(source.repo, revision=source.revision, timeout=_PATIENCE)
    except Exception:
        if hub_reach(source, offline=True) is not None:
            raise
        return True
    return False


def _load(source: HubSource, *, offline: bool) -> Any:
    reason = hub_reach(source, offline=offline)
    if reason is not None:
        raise DataUnavailable(reason)
    import datasets

    try:
        offline = offline or _offline_by_environment() or _unanswered(source)
        return datasets.load_dataset(
            source.repo,
            source.config,
            split=source.split,
            revision=source.revision,
            data_files=None if source.files is None else {source.split: source.files},
            verification_mode=None if source.files is None else "no_checks",  # the sizes published are of all splits
            download_config=datasets.DownloadConfig(local_files_only=offline),
        )
    except Exception as error:  # network, authorisation, absent revision, malformed files: one line for each
        detail = " ".join(str(error).split()) or type(error).__name__
        raise DataUnavailable(
            f"hub:{source.repo}@{source.revision[:7]} cannot be loaded ({printable(detail, limit=160)})"
        ) from error
