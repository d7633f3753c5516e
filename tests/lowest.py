"""The lowest release of every dependency that pyproject.toml allows, as pip constraints: `make test-lowest` tests them.

python tests/lowest.py [EXTRA ...]
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def lowest(project: dict[str, object], extras: Iterable[str]) -> list[str]:
    """One "name==version" per requirement with a lower bound, sorted; the extras may name one another."""
    bounds: dict[str, str] = {}
    for requirement in _requirements(project, extras):
        lower = [clause.version for clause in requirement.specifier if clause.operator in (">=", "==")]
        if lower and (requirement.marker is None or requirement.marker.evaluate()):
            bounds[requirement.name] = lower[0]
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


def _requirements(project: dict[str, object], extras: Iterable[str]) -> Iterator[Requirement]:
    optional = project["optional-dependencies"]
    assert isinstance(optional, dict)
    waiting = [project["dependencies"], *(optional[extra] for extra in extras)]
    while waiting:
        for requirement in map(Requirement, waiting.pop()):
            if requirement.name == project["name"]:
                waiting += [optional[extra] for extra in sorted(requirement.extras)]
            else:
                yield requirement


if __name__ == "__main__":
    print("\n".join(lowest(tomllib.loads(PYPROJECT.read_text())["project"], sys.argv[1:])))
