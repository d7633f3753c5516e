"""Labels that name the values of group columns: "a female person" or "a woman", for what a table calls "Female"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from clipaudit_audits.spelled import bare, with_article

# Values of columns that do not go before "person" as they are: of FairFace, UTKFace, the drawn people. Values without a
# label are those that the unmarked one names itself, or that only say what somebody is not.
TERMS: Mapping[str, str] = {
    "Male": "a male person",
    "Female": "a female person",
    "man": "a man",
    "woman": "a woman",
    "person": "",
    "Others": "",
    "Latino_Hispanic": "a Latino or Hispanic person",
    "more than 70": "a more than 70 year old person",
    "short hair": "a person with short hair",
    "long hair": "a person with long hair",
    "full beard": "a person with a full beard",
    "none": "a person without a beard",
    "hoodie": "a person in a hoodie",
    "suit": "a person in a suit",
}
# As a class among others; elsewhere the label above without its article.
CLASSES: Mapping[str, str] = {"female": "woman", "male": "man"}
_AGES = re.compile(r"\d+(?:-\d+)?")
_TONE = re.compile(r"(monk|tone) 0?(\d+)")


def term(value: str) -> str:
    """The label for a value; "" for one that has none.

    >>> term("Black"), term("East Asian"), term("20-29"), term("monk 03")
    ('a Black person', 'an East Asian person', 'a 20-29 year old person', 'a person with skin of tone 3 of 10')
    """
    if value in TERMS:
        return TERMS[value]
    if _AGES.fullmatch(value):
        return f"a {value} year old person"
    if tone := _TONE.fullmatch(value):
        return f"a person with skin of tone {tone[2]} of {10 if tone[1] == 'monk' else 5}"
    return with_article(f"{value.replace('_', ' ')} person")


def class_text(value: str) -> str:
    """What asks for a value as a class, without an article.

    >>> class_text("Female"), class_text("Middle Eastern"), class_text("3-9"), class_text("person")
    ('woman', 'Middle Eastern person', '3-9 year old person', 'person')
    """
    return CLASSES.get(value.strip().lower()) or bare(term(value)) or value
