"""The constraints that `make test-lowest` installs."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lowest() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lowest", ROOT / "tests" / "lowest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_extras_that_name_one_another_and_markers(lowest: ModuleType) -> None:
    project = {
        "name": "p",
        "dependencies": ["b>=2,<3", "a==1.5", "c"],
        "optional-dependencies": {
            "x": ["p[y]", "old>=1; python_version < '3'"],
            "y": ["d[e]>=0.4; python_version > '3'"],
        },
    }
    assert lowest.lowest(project, []) == ["a==1.5", "b==2"]
    assert lowest.lowest(project, ["x"]) == ["a==1.5", "b==2", "d==0.4"]


def test_every_dependency_has_a_lower_bound(lowest: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounds = {line.split("==")[0] for line in lowest.lowest(project, ["all"])}
    assert {Requirement(line).name for line in project["dependencies"]} <= bounds
