"""What the README, the pages, the changelog and the files for CI name is there; what is cheap in the README is followed."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from follow import blocks, commands, run, words

from clipaudit import pages
from clipaudit.cli.app import app
from clipaudit.data.registry import DataRegistry
from clipaudit.data.short import ShortCard
from clipaudit.engine.suite import builtin_suites
from clipaudit.gate.policy import parse_policy
from clipaudit.plugins import list_audits

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEMPLATES = ROOT / "clipaudit" / "scaffold" / "templates"
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(
        [
            *(ROOT / name for name in ("README.md", "CHANGELOG.md", "action.yml", "ci/gitlab.yml")),
            *(ROOT / ".pre-commit-hooks.yaml",),
            *(ROOT / "clipaudit" / "pages").glob("*.md"),
            *(path for path in TEMPLATES.rglob("*") if path.is_file()),
        ]
    )
}
FOREIGN = {"--quiet", "--no-deps", "--target"}  # options of pip and the like
HEAVY = ("run", "plan", "embed", "doctor", "gate", "merge", "rescore", "report", "validate")  # tested elsewhere


def code(text: str) -> Iterator[str]:
    """Spans in backquotes, lines of fenced and of indented blocks, and lines of scripts that begin with the command."""
    for block in blocks(text):
        yield from block.text.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))
    yield from re.findall(r"^(?: {4,}|\s*- |[\w-]+: )(clipaudit .*)$", text, re.MULTILINE)


def called(text: str) -> list[list[str]]:
    """Every call of the command in a text, as words; a call in several parts up to the first operator of the shell."""
    found = []
    for line in code(text):
        for call in re.findall(r"(?:^|\$ |&& )(clipaudit [a-z-].*?)(?=$| && | \|)", line.strip().rstrip("\\")):
            found.append(words(call)[1:] if call.count("'") % 2 == call.count('"') % 2 == 0 else call.split()[1:])
    return found


def commanded() -> list[tuple[str, list[str]]]:
    return [(name, call) for name, text in TEXTS.items() for call in called(text)]


@pytest.mark.parametrize(
    ("where", "call"), commanded(), ids=lambda part: shlex.join(part)[:60] if isinstance(part, list) else part
)
def test_every_command_that_is_named_is_there_and_takes_its_options(where: str, call: list[str]) -> None:
    known = app.commands
    if call[0].startswith("-"):  # "clipaudit --version"
        assert call[0] in {name for parameter in app.params for name in parameter.opts} | {"--help"}
        return
    assert call[0] in known, f"{where}: there is no command {call[0]}"
    options = {name for parameter in known[call[0]].params for name in parameter.opts}
    for word in call[1:]:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, f"{where}: {call[0]} has no option {word}"
    if "..." in call or any("$" in word or word.isupper() for word in call[1:]) or len(call) == 1:
        return  # a form, not a call: NAME, "$OUT"
    try:
        known[call[0]].make_context(call[0], list(call[1:]))  # parses, and runs nothing
    except (click.MissingParameter, click.BadOptionUsage):  # a part of a call: "`clipaudit run --model`"
        assert f"$ clipaudit {shlex.join(call)}" not in README, "an example that cannot be typed as it stands"


def test_every_option_that_is_named_is_one() -> None:
    options = {name for command in app.commands.values() for one in command.params for name in one.opts} | FOREIGN
    options |= {name for one in app.params for name in one.opts}
    for where, text in TEXTS.items():
        ours = [part for part in code(text) if "clipaudit" in part or part.startswith("--")]
        named = {option for part in ours for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", part)}
        assert named <= options, f"{where}: {named - options}"


def test_what_is_described_or_run_by_name_is_there() -> None:
    audits = {listing.id for listing in list_audits()}
    there = {*audits, *builtin_suites(), *DataRegistry({}).ids(), *pages.names()}
    own = {"upside_down", "text_colour", "zero_shot"}  # made on the page, or about to be
    for where, call in commanded():
        words_ = [word for word in call[1:] if not word.startswith("-")]
        if call[0] not in ("describe", "run", "plan") or not words_ or not re.fullmatch(r"[a-z_-]+", words_[0]):
            continue
        assert words_[0] in there | own, f"{where}: nothing is called {words_[0]}"
    for where, text in TEXTS.items():
        for name in re.findall(r'^(?:# )?audit = "(\w+)"', text, re.MULTILINE):
            assert name in audits | own, f"{where}: there is no audit {name}"


def test_every_file_that_is_named_is_there() -> None:
    tops = {path.name for path in ROOT.iterdir()} - {"runs", "build", "dist"}
    for where, text in TEXTS.items():
        linked = re.findall(r"\]\(([^)#:]+)\)", text)
        named = [
            part for part in code(text) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", part) and part.split("/")[0] in tops
        ]
        for name in [*linked, *named]:
            assert (ROOT / name).exists(), f"{where}: there is no {name}"


def test_every_python_name_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = {"clipaudit.toml", *project["entry-points"]}
    for where, text in TEXTS.items():
        for name in {part for part in code(text) if re.fullmatch(r"clipaudit(\.\w+)+", part)} - others:
            module, _, attribute = name.rpartition(".")
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                assert hasattr(importlib.import_module(module), attribute), f"{where}: there is no {name}"


def test_the_table_of_audits_is_that_of_the_toolkit() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", README.partition("## Install")[0], re.MULTILINE))
    assert table.keys() == {listing.id for listing in list_audits()}


def test_data_sets_models_and_extras_of_the_readme_are_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = re.search(r"Extras: (.+?)\.\n", README, re.DOTALL)
    assert extras
    assert set(re.findall(r"`([\w-]+)`", extras[1])) == set(project["optional-dependencies"]) - {"dev", "benchmarks"}
    built_in = re.search(r"^Built in: (.+?)\n\n", README, re.DOTALL | re.MULTILINE)
    assert built_in
    named = set(re.findall(r"`([\w.-]+)`", built_in[1])) - {"tuxpaint-stamps-default"}
    assert named <= set(DataRegistry({}).ids())
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|\$ )make (\w+)", README)) <= targets


def test_the_files_that_the_readme_shows_are_good() -> None:
    shown = {block.text.partition("\n")[0]: block.text for block in blocks(README) if block.language == "toml"}
    policy = next(text for first, text in shown.items() if first.startswith("# gate.toml"))
    assert [rule.id for rule in parse_policy(policy, "README").rules] == ["worst-group", "no-new-errors"]
    card = next(text for first, text in shown.items() if first.startswith("id ="))
    assert ShortCard.model_validate(tomllib.loads(card)).id == "shop"
    assert len(card.splitlines()) == 5  # "in five lines"


def test_the_action_is_used_with_inputs_that_it_has() -> None:
    import yaml

    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    step = next(yaml.safe_load(block.text)[0] for block in blocks(README) if block.language == "yaml")
    assert step["with"].keys() <= inputs.keys()
    assert {name for name, spec in inputs.items() if spec.get("required")} <= step["with"].keys()


def test_what_is_cheap_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the README's order, after the two runs that its comparison is about."""
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    card = next(block.text for block in blocks(README) if block.text.startswith("id ="))
    for label, colour in (("cup", "red"), ("key", "blue")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        Image.new("RGB", (32, 32), colour).save(tmp_path / "photos" / label / "1.png")
    (tmp_path / "photos" / "clipaudit.toml").write_text(card)
    for name, accuracy in (("old", 0.9), ("new", 0.7)):
        model = ["--model", f"control:classifier?accuracy={accuracy}", "--set", "zero_shot.probes=false"]
        run(
            ["clipaudit", "run", "zero_shot", "--data", "objects", *model, "-q", "-o", f"runs/{name}"], tmp_path, capsys
        )
    followed = 0
    for command, _ in (each for block in blocks(README) if block.language == "console" for each in commands(block)):
        call = [
            part
            for word in words(command)
            for part in (map(str, sorted(tmp_path.glob(word))) if "*.toml" in word else [word])
        ]
        if call[0] != "clipaudit" or call[1] in HEAVY:
            continue
        code_, said = run(call, tmp_path, capsys)
        assert code_ == 0, f"{command}\n{said}"
        followed += 1
    assert followed >= 7
    assert (tmp_path / "card.md").is_file()
    assert (tmp_path / "clipaudit-text-colour" / "pyproject.toml").is_file()
