"""The page of an audit: every parameter as it can be set, and a command that runs it."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from clipaudit import pages, plugins
from clipaudit.cli.app import app
from clipaudit.cli.describe import describe
from clipaudit.cli.describe_audit import FILLED_IN, audit_page, toml
from clipaudit.data.registry import DataRegistry
from clipaudit.engine.suite import parse_overrides
from clipaudit.errors import ModelError
from clipaudit.models.control import CONTROLS

AUDITS = sorted(plugins.names(plugins.AUDITS))


@pytest.fixture(scope="module")
def registry() -> DataRegistry:
    return DataRegistry({})


@pytest.mark.parametrize("name", AUDITS)
def test_defaults_are_written_as_they_can_be_set(name: str) -> None:
    """What the page calls the default, given by --set, is the default."""
    params = plugins.load_audit(name).spec.params
    defaults = params()
    for field in params.model_fields:
        value = getattr(defaults, field)
        if value is None:
            continue
        given = parse_overrides([f"{name}.{field}={toml(value)}"])[name]
        assert toml(getattr(params.model_validate(given), field)) == toml(value), field


@pytest.mark.parametrize("name", AUDITS)
def test_the_page_is_whole(name: str, registry: DataRegistry) -> None:
    spec = plugins.load_audit(name).spec
    page = audit_page(spec, registry)
    flat = " ".join(page.split())
    said = [spec.question, spec.harm, spec.methods, *spec.limits, *spec.citations]
    said += [metric.formula for metric in spec.metrics]
    assert all(" ".join(text.split()) in flat for text in said)
    assert all(f"- {field} (" in page for field in spec.params.model_fields if field != FILLED_IN)
    assert all(field.description for field in spec.params.model_fields.values())
    assert not re.search(r"typing\.|<class|Literal|default (True|False|None)|\bFalse:", page)
    command = re.search(rf"Run it alone: clipaudit run {name}(?: --data (\S+))? --model MODEL", page)
    assert command
    known = {*registry.ids()}
    assert command[1] is None or command[1].removesuffix("=FOLDER") in known
    assert all(data in known for data in spec.data)


def test_what_is_not_in_reach_is_not_offered(registry: DataRegistry) -> None:
    page = audit_page(plugins.load_audit("composition").spec, registry)
    assert "--data sugar-crepe=FOLDER" in page
    page = audit_page(plugins.load_audit("disparity").spec, registry)
    assert "--data avatars" in page  # not the faces, which would be downloaded
    assert page in describe("disparity")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (("a", 'b"'), '["a", "b\\""]'),
        ({"two words": ("x",), "b": 1}, '{ "two words" = ["x"], b = 1 }'),
        (1 / 255, "0.003922"),
        (True, "true"),
        ({}, "{}"),
    ],
)
def test_values_in_toml(value: object, text: str) -> None:
    assert toml(value) == text


def test_help_lists_every_command_once_and_whole() -> None:
    text = CliRunner().invoke(app, ["--help"], terminal_width=80).output
    listed = re.findall(r"^  ([a-z][a-z-]*) {2,}\S.*$", text.partition("Options:")[2], re.MULTILINE)
    assert sorted(listed) == sorted(app.commands)
    assert "..." not in text.partition("Options:")[2]
    assert "Others" not in text  # each has its place


def test_control_models_are_listed_and_described() -> None:
    listed = CliRunner().invoke(app, ["list", "models"], env={"COLUMNS": "200"}).output
    assert all(name in listed for name in CONTROLS)
    assert "probability `confidence`" in " ".join(describe("control:varied?accuracy=0.5").split())
    with pytest.raises(ModelError, match="no control model 'varid'; did you mean varied"):
        describe("control:varid")


def test_pages_are_listed_with_their_titles() -> None:
    text = CliRunner().invoke(app, ["list", "pages"]).output
    assert all(name in text for name in pages.names())
    assert "Gate your next checkpoint" in text
