"""Suites: what is read, what is refused, and in which words."""

from pathlib import Path

import pytest

from clipaudit.engine.plan import derive_seed
from clipaudit.engine.suite import builtin_suites, load_suite, parse_overrides, parse_suite
from clipaudit.errors import UsageError

GOOD = """
id = "mine"
[[audits]]
id = "typographic"
data = "rta100"
params = { preset = "two-way" }
[[audits]]
id = "association"
"""


def test_reads_entries_in_order() -> None:
    suite = parse_suite(GOOD, "mine.toml")
    assert [(entry.id, entry.data) for entry in suite.audits] == [("typographic", "rta100"), ("association", None)]
    assert suite.audits[0].params == {"preset": "two-way"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "malformed TOML"),
        ('id = "a"\n', "key 'audits' is missing"),
        ('id = "a"\naudits = []\n', "audits:"),
        ('id = "a"\n[[audits]]\nid = "b"\nparam = {}\n', "did you mean params"),
        ('[[audits]]\nid = "b"\n', "key 'id' is missing"),
        ('id = "a"\n[[audits]]\nid = 3\n', "audits.0.id"),
    ],
)
def test_bad_suite_is_one_line_naming_file_and_key(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_suite(text, "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml: ")
    assert says in message
    assert "\n" not in message


def test_unknown_suite_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean demo"):
        load_suite("demmo")


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_suite(str(tmp_path / "none.toml"))
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a UTF-8"):
        load_suite(str(tmp_path / "x.toml"))


def test_every_packaged_suite_parses() -> None:
    assert "demo" in builtin_suites()
    for name in builtin_suites():
        assert load_suite(name).id == name


def test_included_suites_come_first_and_each_entry_once() -> None:
    standard = load_suite("standard")
    assert standard.audits[: len(load_suite("social-bias").audits)] == load_suite("social-bias").audits
    assert len({entry.model_dump_json() for entry in standard.audits}) == len(standard.audits)
    mine = parse_suite(
        'id = "mine"\ninclude = ["quick"]\n[[audits]]\nid = "zero_shot"\ndata = "objects"\n', "mine.toml"
    )
    assert mine.audits == load_suite("quick").audits  # what it adds is there already
    spelled = mine.model_copy(update={"audits": load_suite("quick").audits})
    assert mine.digest == spelled.digest


@pytest.mark.parametrize(
    ("include", "says"),
    [('"quick"', "write a list"), ('["quik"]', "no suite 'quik'; did you mean quick"), ("[1]", "write a list")],
)
def test_a_suite_that_cannot_be_included(include: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_suite(f'id = "mine"\ninclude = {include}\n', "mine.toml")


def test_audit_globs_filter_by_audit_or_by_audit_and_data() -> None:
    suite = parse_suite(GOOD, "mine.toml")
    assert [entry.id for entry in suite.only(["typo*"]).audits] == ["typographic"]
    assert [entry.id for entry in suite.only(["*.rta100"]).audits] == ["typographic"]
    with pytest.raises(UsageError, match="did you mean association"):
        suite.only(["asociation"])


def test_overrides_are_toml_values_else_text() -> None:
    assert parse_overrides(["a.n=3", "a.s=two-way", "a.l=[1, 2]", "b.t='x y'"]) == {
        "a": {"n": 3, "s": "two-way", "l": [1, 2]},
        "b": {"t": "x y"},
    }
    for bad in ("a=3", "a.b", ".b=1", "a.=1"):
        with pytest.raises(UsageError, match=r"AUDIT\.PARAM=VALUE"):
            parse_overrides([bad])


def test_override_of_an_audit_outside_the_suite_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean typographic"):
        parse_suite(GOOD, "mine.toml").with_params({"typographc": {"n": 1}})


def test_cell_seeds_differ_by_audit_data_and_run_seed_only() -> None:
    seeds = {derive_seed(0, "a", "x"), derive_seed(0, "a", "y"), derive_seed(0, "b", "x"), derive_seed(1, "a", "x")}
    assert len(seeds) == 4
    assert derive_seed(0, "a", "x") == derive_seed(0, "a", "x")
    assert derive_seed(0, "ab", "c") != derive_seed(0, "a", "bc")
