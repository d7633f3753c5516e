"""The tests that come with the package, by name, and what each of them is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from clipaudit.errors import UsageError, nearest

IEAT = "ieat"
PRESETS: Mapping[str, str] = {
    "weat": "words: the tests C1 to C10 of Caliskan et al. 2017, each word alone, beside the published d of GloVe",
    "seat": "the same ten tests in bleached sentences, in the manner of May et al. 2019",
    "avatars": "drawn people (data set avatars) against words: tone, hair, beard, clothing, and tone x hair",
    "fluent-people": "drawn people in roles (data set fluent-people) against words: man and woman, tone, and both",
    "faces": "photographs annotated by race and gender (fairface, utkface) against words, and race x gender",
    IEAT: "images against images: the 39 tests of Steed and Caliskan 2021 (data set ieat), beside the published d",
}
WITHOUT_DATA = "seat"
_OF_DATA = {"avatars": "avatars", "fluent-people": "fluent-people", "fairface": "faces", "fairface-1.25": "faces",
            "utkface": "faces", "ieat": IEAT}  # fmt: skip
_WORDS = "words_for_images"  # attributes that presets of images share; no tests of its own


def described() -> str:
    """One line that lists the presets."""
    return "; ".join(f"{name} ({about})" for name, about in PRESETS.items())


def of_data(dataset_id: str) -> str | None:
    """The preset made for a data set."""
    return _OF_DATA.get(dataset_id)


def packaged(name: str) -> Mapping[str, Any]:
    """The content of a packaged file of tests."""
    text = (resources.files(__package__) / "association_presets" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def inherited(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    """`content` with what it takes over from the packaged tests named by its key `like`.

    Sets and grammar are added to; tests, templates, title and citation are taken over where `content` has none. Results
    published for tests are not: other templates are another test. Raises UsageError for an unknown name.
    """
    own = dict(content)
    name = own.pop("like", None)
    if name is None:
        return own
    known = (*(preset for preset in PRESETS if preset != IEAT), _WORDS)
    if name not in known:
        raise UsageError(f"{source}: like = {name!r} is no packaged set of tests; {nearest(str(name), known)}")
    base = inherited(packaged(name), name)
    tests = [{key: value for key, value in test.items() if key != "published"} for test in base.pop("tests", [])]
    merged = {**base, "tests": tests, **own, "sets": {**base.get("sets", {}), **own.get("sets", {})}}
    for key in ("countable", "plural"):
        merged[key] = [*base.get(key, ()), *own.get(key, ())]
    return merged
