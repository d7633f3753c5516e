"""gate.toml: what is accepted, and the one line that says what is wrong with it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from clipaudit.errors import UsageError
from clipaudit.gate.policy import Absolute, Change, Equivalence, load_policy, parse_policy

RULE = '[[rule]]\nid = "a"\naudit = "x"\nmetric = "m"\n'
GOOD = RULE + 'kind = "absolute"\nmax = 1\n'
WAIVER = '[[waiver]]\nrule = "a"\nmodel = "0123456789ab"\nreason = "known"\nowner = "Ada"\nexpires = 2026-12-31\n'


def test_the_three_kinds_and_their_defaults() -> None:
    text = GOOD + RULE.replace('"a"', '"b"') + 'kind = "change"\nmargin = 0.02\nworse = "higher"\n'
    text += RULE.replace('"a"', '"c"') + 'kind = "equivalence"\nmargin = 2\nsubgroup = { "race (annotated)" = "*" }\n'
    policy = parse_policy(text + WAIVER, "p")
    assert [type(rule) for rule in policy.rules] == [Absolute, Change, Equivalence]
    assert (policy.alpha, policy.level, policy.rules[0].subgroup, policy.rules[0].severity) == (
        0.05,
        0.025,
        "overall",
        "major",
    )
    assert policy.waivers[0].expires == datetime.date(2026, 12, 31)


def test_the_digest_is_of_the_content_not_of_the_layout() -> None:
    assert parse_policy(GOOD, "p").digest == parse_policy("# a comment\n" + GOOD, "p").digest
    assert parse_policy(GOOD, "p").digest != parse_policy(GOOD.replace("max = 1", "max = 2"), "p").digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "key 'rule' is missing"),
        ("[[rule", "malformed TOML"),
        (RULE, "rule 1 (a): key 'kind' is missing"),
        (RULE + 'kind = "absolute"', "rule 1 (a): give max, min or both"),
        (RULE + 'kind = "abs"', "kind must be 'absolute', 'change' or 'equivalence', not 'abs'"),
        (RULE + 'kind = "absolute"\nmaximum = 1', "rule 1 (a): unknown key 'maximum'; "),
        (RULE + 'kind = "absolute"\nmin = 2\nmax = 1', "min must be below max"),
        (RULE + 'kind = "change"\nmargin = 0', "margin: Input should be greater than 0"),
        (RULE + 'kind = "absolute"\nmax = nan', "max: Input should be a finite number"),
        (GOOD + GOOD, "two rules have the id 'a'"),
        (GOOD + WAIVER.replace('rule = "a"', 'rule = "ab"'), "a waiver is for rule 'ab', which is not here; did you"),
        (GOOD + WAIVER.replace("2026-12-31", '"soon"'), "waiver 1 (a): expires"),
        (GOOD + WAIVER.replace('owner = "Ada"\n', ""), "waiver 1 (a): key 'owner' is missing"),
        (GOOD + WAIVER.replace('"known"', '"  "'), "waiver 1 (a): reason"),
        (GOOD + WAIVER.replace("0123456789ab", "my-model"), "waiver 1 (a): model"),
        (GOOD + "alpha = 0.9", "unknown key 'alpha'"),  # TOML: it is in the last table
        ("alpha = 0.9\n" + GOOD, "alpha: Input should be less than 0.5"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_policy(text, "policy gate.toml")
    assert str(caught.value).startswith("policy gate.toml: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_policy(tmp_path / "gate.toml")
    (tmp_path / "gate.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a UTF-8 text file"):
        load_policy(tmp_path / "gate.toml")
