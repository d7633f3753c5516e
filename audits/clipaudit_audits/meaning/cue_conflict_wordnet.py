"""Which ImageNet classes each of the sixteen categories holds, derived from WordNet.

The table that ships (`cue_conflict_imagenet.tsv`) was made by this command, with WordNet 3.0 (Debian: wordnet-base) and
timm, which knows the synsets of ImageNet's classes:

    python -m clipaudit_audits.meaning.cue_conflict_wordnet /usr/share/wordnet

An ImageNet class belongs to a category if its name does: looked up in WordNet, the name's first sense lies below the
category's. So a class whose name first means something else is in none (boxer, crane, kite, Samoyed: a fighter, a
person, a cheque, a people), and the class itself lies below the category as well.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from clipaudit.errors import DataError

CATEGORIES = (
    "airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat", "chair", "clock", "dog", "elephant",
    "keyboard", "knife", "oven", "truck",
)  # fmt: skip
# Where Geirhos et al. 2018 decided otherwise than the rule: kinds of car, knife and oven that people do not call so,
# and the minivan, which WordNet has among cars and among trucks.
NOT_IN: Mapping[str, frozenset[str]] = {
    "car": frozenset({"ambulance", "jeep", "limousine", "minivan", "Model_T"}),
    "knife": frozenset({"letter_opener"}),
    "oven": frozenset({"Dutch_oven"}),
}


class WordNet:
    """Nouns of a WordNet database folder (index.noun, data.noun): senses of words, and what lies above a synset.

    Raises DataError where the folder holds none.
    """

    def __init__(self, folder: Path) -> None:
        self.words: dict[str, tuple[str, ...]] = {}
        self.above: dict[str, tuple[str, ...]] = {}
        self.senses: dict[str, tuple[str, ...]] = {}
        self._lines: dict[str, frozenset[str]] = {}
        for fields in _read(folder / "data.noun"):
            n = int(fields[3], 16)
            start = 5 + 2 * n
            pointers = [fields[start + 4 * i : start + 4 * i + 4] for i in range(int(fields[4 + 2 * n]))]
            self.words[fields[0]] = tuple(fields[4 : 4 + 2 * n : 2])
            self.above[fields[0]] = tuple(target for kind, target, *_ in pointers if kind in ("@", "@i"))
        for fields in _read(folder / "index.noun"):
            self.senses[fields[0]] = tuple(fields[-int(fields[2]) :])

    def first_sense(self, word: str) -> str:
        """The synset (offset) that a word means first."""
        return self.senses[word.lower()][0]

    def below(self, synset: str, category: str) -> bool:
        """Whether a synset is the category or lies below it."""
        return category in self.line(synset)

    def line(self, synset: str) -> frozenset[str]:
        """The synset and all that it lies below."""
        if synset not in self._lines:
            self._lines[synset] = frozenset({synset}).union(*(self.line(above) for above in self.above[synset]))
        return self._lines[synset]


def derive(net: WordNet, synsets: Sequence[str]) -> list[tuple[str, int, str, str]]:
    """(category, index, synset id, name) of all ImageNet classes that belong to a category.

    synsets: the ids ("n02085620") of the classes, by index.
    """
    found = []
    for category in CATEGORIES:
        top = net.first_sense(category)
        for index, synset in enumerate(synsets):
            name = net.words[synset[1:]][0]
            meant = (synset[1:], net.first_sense(name))
            if all(net.below(one, top) for one in meant) and name not in NOT_IN.get(category, ()):
                found.append((category, index, synset, name.replace("_", " ")))
    return found


def _read(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: no WordNet database ({error.strerror}); install Debian's wordnet-base") from error
    # The licence stands at the head, its lines indented. Glosses follow a bar.
    return [line.split("|")[0].split() for line in text.splitlines() if line and not line.startswith(" ")]


def imagenet_synsets() -> list[str]:
    """Synset ids of the 1,000 classes by index, as timm has them. Raises DataError without timm."""
    found = find_spec("timm")  # its file is read, and timm, which loads torch, is not imported
    if found is None or found.origin is None:
        raise DataError("the synsets of ImageNet's classes are timm's: pip install timm")
    table = Path(found.origin).parent / "data" / "_info" / "imagenet_synsets.txt"
    return table.read_text(encoding="utf-8").split()


if __name__ == "__main__":
    print("category\tindex\tsynset\tname")
    for line in derive(WordNet(Path(sys.argv[1])), imagenet_synsets()):
        print(*line, sep="\t")
