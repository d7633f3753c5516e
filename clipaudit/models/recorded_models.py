"""The two kinds of recorded model: vectors, and scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.embedding.scoring import cosines
from clipaudit.errors import DataError, NotSupported, nearest
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.models.recorded_ids import SameItems
from clipaudit.models.recorded_parquet import NEAR, missing
from clipaudit.models.recorded_scores import ScoreTable
from clipaudit.models.recorded_vectors import NamedRows, VectorTable
from clipaudit.results import ModelInfo
from clipaudit.text import printable
from clipaudit.zeroshot import ensemble, prompts

TextSource = Literal["prompt", "label"]


class RecordedEmbeddings:
    """Recorded vectors of images, of texts, or of both. Without texts it offers no scores."""

    def __init__(self, info: ModelInfo, images: VectorTable | None, texts: VectorTable | None) -> None:
        needs = {Need.EMBEDDINGS} | ({Need.SCORES} if images is not None and texts is not None else set())
        self.capabilities = frozenset(needs)
        dim = next((table.dim for table in (images, texts) if table is not None), 0)
        self.info = info.model_copy(
            update={"capabilities": tuple(sorted(need.value for need in needs)), "embedding_dim": dim or None}
        )
        self._images = None if images is None else _NamedImages(images)
        self._texts = None if texts is None else NamedRows(texts, "text")

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        """Recorded embeddings, by id. Raises DataError naming an id that is not recorded."""
        if self._images is None:
            raise NotSupported(f"{self.info.spec} records no images (images.parquet is absent)")
        return self._images.look_up_items([image.id for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        """Recorded embeddings of exactly these texts. Raises DataError naming one that is not recorded."""
        return self._recorded_texts().look_up(texts)

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """Cosines; the labels' own embeddings where their prompts are not recorded (`text_source` says which).

        Raises DataError naming a text that is recorded neither as prompt nor as label.
        """
        rows = self._recorded_texts()
        texts, source = _choose(prompts(labels, templates), labels, rows.has)
        if texts is None:
            raise _absent(rows.table.path, prompts(labels, templates), labels, rows.names)
        embedded = rows.look_up(texts)
        failed = next((error for error in embedded.errors if error is not None), None)
        if failed is not None:
            raise DataError(failed)
        found = self.embed_images(images)
        weights = ensemble(embedded.vectors.astype(np.float64), len(labels))
        return Scores(cosines(found.vectors, weights), "cosine", found.errors, source)

    def _recorded_texts(self) -> NamedRows:
        if self._texts is None:
            raise NotSupported(f"{self.info.spec} records no texts (texts.parquet is absent)")
        return self._texts


class _NamedImages(NamedRows):
    """Recorded images, found as well where ids differ in leading folders only."""

    def __init__(self, table: VectorTable) -> None:
        super().__init__(table, "id")
        self._same = SameItems(lambda: self.names)

    def look_up_items(self, ids: Sequence[str]) -> Embedded:
        """`look_up` of items. Raises DataError naming an item that is not recorded."""
        return self.look_up(ids if self.has(ids) else self._same.names(ids))


class RecordedScores:
    """Recorded scores or decisions: it can be asked for scores of what was recorded, and for nothing else."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, table: ScoreTable) -> None:
        self.info = info.model_copy(update={"capabilities": (Need.SCORES.value,)})
        self._table = table
        self._same = SameItems(lambda: table.ids)

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        """Raises NotSupported."""
        raise self._no_embeddings()

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        """Raises NotSupported."""
        raise self._no_embeddings()

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """The mean over the recorded prompts of each label, or the score recorded under the bare label.

        Raises DataError naming an id, a text or a pair that is not recorded.
        """
        ids = self._same.names([image.id for image in images])
        if self._table.kind == "decision":
            return self._decided(ids, labels, templates)
        known = self._table.texts
        texts, source = _choose(prompts(labels, templates), labels, known.issuperset)
        if texts is None:
            raise _absent(self._table.path, prompts(labels, templates), labels, known)
        values = self._table.matrix(ids, texts).reshape(len(ids), len(labels), -1).mean(axis=2)
        broken = ~np.isfinite(values).all(axis=1)
        values[broken] = np.nan
        errors = tuple(
            f"{self._table.path}: id {name!r}: a score is missing or not finite" if bad else None
            for name, bad in zip(ids, broken, strict=True)
        )
        return Scores(values, self._table.kind, errors, source)

    def score_known(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """As `score_labels`, with NaN for labels of which the table holds no score, or not of all recorded prompts.

        Prompts are looked up if the table holds any of them, else the bare labels. An image of which it holds no score
        is an error. Raises DataError where it holds none of the texts, or no image.
        """
        if self._table.kind == "decision":
            return self.score_labels(images, labels, templates)
        ids = self._same.names([image.id for image in images])
        known, asked = self._table.texts, prompts(labels, templates)
        texts: Sequence[str]
        source: TextSource
        if not known.isdisjoint(asked):
            texts, source = asked, "prompt"
        elif not known.isdisjoint(labels):
            texts, source = labels, "label"
        else:
            raise _absent(self._table.path, asked, labels, known)
        values, held = self._table.known(ids, texts)
        some: NDArray[np.bool_] = np.asarray(held.any(axis=1))
        if not some.any():
            raise missing(self._table.path, "id", ids, sorted(self._table.ids))
        errors = tuple(
            None if there else f"{self._table.path}: id {name!r}: no score of it is recorded"
            for name, there in zip(ids, some, strict=True)
        )
        means = values.reshape(len(ids), len(labels), -1).mean(axis=2)
        return Scores(means, self._table.kind, errors, source)

    def _decided(self, ids: Sequence[str], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """One-hot rows. A decision for none of the labels asked for (an observer's "na") is a row of zeros.

        Raises DataError where most decisions are for none of them, or one differs from a label only in its spelling:
        that is another label set, and its accuracy would mean nothing.
        """
        asked = prompts(labels, templates)
        chosen = self._table.decisions(ids)
        by_prompt = not self._table.texts.isdisjoint(asked)
        texts = asked if by_prompt else list(labels)
        per_label = len(templates) if by_prompt else 1
        place = {text: i // per_label for i, text in enumerate(texts)}
        self._same_label_set([text for text in chosen if text], place)
        values: NDArray[np.float64] = np.zeros((len(ids), len(labels)))
        errors: list[str | None] = []
        for row, (name, text) in enumerate(zip(ids, chosen, strict=True)):
            if text in place:
                values[row, place[text]] = 1.0
            elif text is None:
                values[row] = np.nan
            errors.append(f"{self._table.path}: id {name!r}: no decision is recorded" if text is None else None)
        return Scores(values, "decision", tuple(errors), "prompt" if by_prompt else "label")

    def _same_label_set(self, chosen: Sequence[str], known: Collection[str]) -> None:
        others = [text for text in chosen if text not in known]
        spelled = {_plain(text): text for text in known}
        wrong = next((text for text in others if _plain(text) in spelled), None)
        if wrong is None and 2 * len(others) > len(chosen):
            wrong = others[0]
        if wrong is not None:
            said = f"{self._table.path}: the recorded decision {printable(wrong)!r} is none of the labels"
            raise DataError(f"{said}; {nearest(spelled.get(_plain(wrong), wrong), list(known))}")

    def _no_embeddings(self) -> NotSupported:
        return NotSupported(f"{self.info.spec} records scores only, no embeddings")


def _plain(text: str) -> str:
    """Without case, blanks, hyphens and underscores."""
    return "".join(text.casefold().replace("_", " ").replace("-", " ").split())


def _choose(
    asked: Sequence[str], labels: Sequence[str], recorded: Callable[[Sequence[str]], bool]
) -> tuple[Sequence[str] | None, TextSource]:
    """The prompts if all are recorded, else the bare labels if all are, else None."""
    if recorded(asked):
        return asked, "prompt"
    return (labels if recorded(labels) else None), "label"


def _absent(path: Path, asked: Sequence[str], labels: Sequence[str], recorded: Collection[str]) -> DataError:
    """The error naming the first prompt or label that is not recorded, whichever of the two the table holds more of."""
    known = set(recorded)
    by_label = known.isdisjoint(asked) and not known.isdisjoint(labels)
    texts = labels if by_label else asked
    i = next(i for i, text in enumerate(texts) if text not in known)
    per_label = len(asked) // len(labels)
    prompt, label = (asked[i * per_label], labels[i]) if by_label else (asked[i], labels[i // per_label])
    return DataError(
        f"{path}: neither the prompt {printable(prompt)!r} nor the label {printable(label)!r} is recorded; "
        f"{nearest(texts[i], islice(recorded, NEAR))}"
    )
