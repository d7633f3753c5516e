"""How and where a run was made, in words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from clipaudit import numbers
from clipaudit.results import Manifest, RunResult
from clipaudit_reports.view import Listing, ManifestView


def manifest_view(result: RunResult, manifest: Manifest | None) -> ManifestView:
    """The manifest as lists; without one, what the result alone knows."""
    own = (
        ("clipaudit", result.clipaudit_version),
        ("result schema", result.schema_version),
        ("suite", result.suite),
        ("seed", str(result.seed)),
    )
    if manifest is None:
        return ManifestView((*own, ("manifest", "none was stored with this result")), _cells(result, {}))
    facts = (
        *own,
        ("command", _command(manifest.command)),
        ("started", manifest.started),
        ("finished", manifest.finished or "not finished"),
        ("duration", _duration(manifest.seconds)),
        ("python", manifest.python),
        ("platform", manifest.platform),
        ("model fingerprint", manifest.model_fingerprint),
        ("suite digest", manifest.suite_digest),
        ("result digest", manifest.result_digest or ""),
    )
    listings = (
        _listing("Hardware", manifest.hardware),
        _listing("Packages", manifest.packages),
        _listing("Measured with other versions", {name: _versions(v) for name, v in manifest.cell_versions.items()}),
        _listing("Data digests", manifest.data),
        _listing(
            "Model calls",
            {name.replace("_", " "): numbers.count_text(n) for name, n in manifest.forward_passes.items()},
        ),
        *_cells(result, manifest.cell_seconds),
    )
    return ManifestView(tuple(fact for fact in facts if fact[1]), tuple(entry for entry in listings if entry.rows))


def _cells(result: RunResult, seconds: Mapping[str, float]) -> tuple[Listing, ...]:
    """Seed, key and time per cell; times are kept by key or by slug."""
    rows = []
    for cell in result.cells:
        took = seconds.get(cell.key, seconds.get(cell.slug))
        time = "" if took is None else f", {_duration(took)}"
        rows.append((cell.slug, f"seed {cell.seed}, key {cell.key}, audit version {cell.audit.version}{time}"))
    return (Listing("Cells", tuple(rows)),)


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _listing(title: str, values: Mapping[str, str]) -> Listing:
    return Listing(title, tuple(sorted(values.items())))


def _command(words: tuple[str, ...]) -> str:
    """The command as typed; the program by its name, not by where it lies on this machine."""
    if not words:
        return ""
    return shlex.join([words[0].replace("\\", "/").rsplit("/", 1)[-1], *words[1:]])


def _duration(seconds: float | None) -> str:
    """Seconds for people.

    >>> _duration(0.42), _duration(75.2), _duration(4000)
    ('0.4 s', '1 min 15 s', '1 h 6 min')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
