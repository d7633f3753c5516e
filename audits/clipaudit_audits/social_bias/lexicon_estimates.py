"""From what words find first to estimates: categories, and the words that lean most."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Estimate, Status
from clipaudit.stats.multiple import correct
from clipaudit.stats.power import mde_null, mde_proportion
from clipaudit_audits.social_bias import lexicon_sentences as say
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.lexicon_study import ALPHA, Study, WordTops, share_interval, top_counts
from clipaudit_audits.social_bias.lexicon_words import WordCategory
from clipaudit_audits.social_bias.retrieval_skew_measures import (
    Key,
    Rankings,
    chance,
    evenness,
    interval,
    mean,
    observed,
    resampled,
    test_of,
)
from clipaudit_audits.template_sensitivity import Sensitivity, agreement, marked, sensitivity

Floats = NDArray[np.float64]

MAX_WORDS = 15  # single words reported as estimates; the heat map shows all


@dataclass(frozen=True)
class WordFinding:
    """The share of one group in the top of one word; `adjusted` is its p after correction over all of them."""

    tops: WordTops
    word: int
    group: int
    adjusted: float

    @property
    def share(self) -> float:
        return float(self.tops.counts[self.word, self.group]) / self.tops.k

    @property
    def lean(self) -> float:
        """|ln| of the share over the pool's; a share of 0 counts as 1/k."""
        return abs(float(self.tops.skews[self.word, self.group]))


def all_estimates(made: Study) -> list[Estimate]:
    """Categories (one family), the words that lean most (another), skews of intersections, which are many (a third),
    and what was too small."""
    categories: list[tuple[Estimate, Grouping, Sensitivity | None]] = []
    small: list[Estimate] = []
    for grouping in made.groupings:
        small += [_too_small(made, grouping, group, n) for group, n in grouping.small.items()]
        if grouping.name not in made.tops:
            small.append(_none(made, grouping))
        else:
            categories += [(estimate, grouping, found) for estimate, found in _categories(made, grouping)]
    crossed = [len(grouping.columns) > 1 and e.metric == "category_skew" for e, grouping, _ in categories]
    leading = _spoken(made, list(compress(categories, (not one for one in crossed))), "means over categories")
    further = _spoken(made, list(compress(categories, crossed)), "skews of intersections")
    summary = agreement(leading, of="means over categories")
    return [*(e for e, _ in leading), *top_words(made), *summary, *(e for e, _ in further), *small]


def _spoken(
    made: Study, categories: list[tuple[Estimate, Grouping, Sensitivity | None]], family: str
) -> list[tuple[Estimate, Sensitivity | None]]:
    """Corrected over the family, in words, with what single templates say."""
    tested = correct([e for e, _, _ in categories], "benjamini-hochberg", family)
    return [
        (marked(e.model_copy(update={"sentence": say.category_sentence(e, grouping.name, made.k)}), found), found)
        for e, (_, grouping, found) in zip(tested, categories, strict=True)
    ]


def top_words(made: Study) -> list[Estimate]:
    """The shares that lean most among those with an effect, with interval and sentence."""
    adjusted = made.adjusted
    every = [
        WordFinding(made.tops[name], int(word), int(group), float(p[word, group]))
        for name, p in adjusted.items()
        for word, group in np.argwhere(p <= ALPHA)
    ]
    every.sort(key=lambda f: (-f.lean, f.tops.grouping.name, f.word, f.group))
    family = f"Benjamini-Hochberg over {sum(p.size for p in adjusted.values()):,} shares of groups under words"
    note = f"One of the {min(MAX_WORDS, len(every))} that lean most, of {len(every)} that differ from the pool."
    leading = every[:MAX_WORDS]
    shares = _shares_alone(made, {finding.tops.grouping.name: finding.tops.grouping for finding in leading})
    return [_word(made, finding, family, note, shares) for finding in leading]


def _shares_alone(made: Study, judged: dict[str, Grouping]) -> dict[tuple[str, str], Floats]:
    """(template, grouping) -> (q, G) shares of the groups in the tops of the words under that template alone."""
    return {
        (template, name): top_counts(alone.rankings(grouping), made.k) / made.k
        for template, alone in made.alone.items()
        for name, grouping in judged.items()
    }


def _word(made: Study, finding: WordFinding, family: str, note: str, shares: dict[tuple[str, str], Floats]) -> Estimate:
    tops, word, group = finding.tops, finding.word, finding.group
    metric = made.spec.metric("word_share")
    name, pool = tops.grouping.values[group], float(tops.pool[group])
    test = tops.test(word, group).model_copy(update={"p_adjusted": finding.adjusted, "correction": family})
    estimate = Estimate(
        metric="word_share",
        title=f"{name} under '{made.words[word]}'",
        value=finding.share,
        unit=metric.unit,
        direction=metric.direction,
        role="secondary",
        subgroup={"groups": tops.grouping.label, "group": name, "word": made.words[word]},
        interval=share_interval(tops, word, group, made.seed),
        n=tops.k,
        null_value=pool,
        test=test,
        minimum_detectable=mde_proportion(tops.k, pool),
        status=Status.EFFECT,
        notes=(note,),
    )
    spoken = estimate.model_copy(update={"sentence": say.word_sentence(estimate, tops.grouping.name)})
    alone = {template: float(shares[template, tops.grouping.name][word, group]) for template in made.alone}
    return marked(spoken, sensitivity(alone, finding.share, pool))


def _categories(made: Study, grouping: Grouping) -> list[tuple[Estimate, Sensitivity | None]]:
    """Evenness of the tops, and the skew of each group: means over each category's words."""
    rankings = made.rankings(grouping)
    of = np.array([query.template for _, query in made.queries])
    categories = [category for category in made.categories if (of == category.name).any()]
    sets = [of == category.name for category in categories]
    values = observed(rankings, made.ks, evenness)
    how, nulls = chance(rankings, made.ks, sets, made.seed, evenness)
    draws = resampled(rankings, made.ks, sets, made.seed, evenness)
    alone = {t: observed(study.rankings(grouping), made.ks, evenness) for t, study in made.alone.items()}
    keys = [Key("entropy", made.k), *(Key("group_skew", made.k, "pool", g) for g in range(rankings.n_groups))]
    found = []
    for category, words, null, draw in zip(categories, sets, nulls, draws, strict=True):
        for key in keys:
            base = _base(made, grouping, category, key, float(mean(values[key][words])), rankings)
            tested = _tested(base, null[key], draw[key], f"{how}, {words.sum()} words")
            each = {template: float(mean(own[key][words])) for template, own in alone.items()}
            found.append((tested, sensitivity(each, tested.value, float(np.mean(null[key])))))
    return found


def _tested(base: Estimate, null: Floats, draws: Floats, method: str) -> Estimate:
    """With interval, null and test; evenness is worse the lower it is."""
    entropy, value = base.metric == "entropy", base.value or 0.0
    beside, test = test_of(value, null, method, "less" if entropy else "two-sided")
    bounds = (0.0, 1.0) if entropy else (-np.inf, np.inf)
    update = {
        "interval": interval(value, draws, "words and images", bounds=bounds),
        "null": beside,
        "test": test,
        "minimum_detectable": mde_null(beside.sd or 0.0),
    }
    return base.model_copy(update=update)


def _base(
    made: Study, grouping: Grouping, category: WordCategory, key: Key, value: float, rankings: Rankings
) -> Estimate:
    entropy = key.metric == "entropy"
    metric = made.spec.metric("entropy" if entropy else "category_skew")
    who = "" if entropy else f" of {grouping.values[key.group]}"
    subgroup = {"groups": grouping.label, "words": category.label}
    return Estimate(
        metric=metric.name,
        title=f"{'Evenness' if entropy else 'Skew'}{who}, {category.label}",
        value=value,
        unit=metric.unit,
        direction=metric.direction,
        role="primary" if len(grouping.columns) == 1 else "secondary",
        subgroup=subgroup if entropy else {**subgroup, "group": grouping.values[key.group]},
        n=len(rankings.codes),
        clusters=int(rankings.clusters.max()) + 1,
        cluster_key=made.cluster or None,
        null_value=metric.null_value,
    )


def _too_small(made: Study, grouping: Grouping, group: str, n: int) -> Estimate:
    metric = made.spec.metric("category_skew")
    return Estimate(
        metric="category_skew", title=f"Skew of {group}", value=None, unit=metric.unit,
        direction=metric.direction, role="secondary",
        subgroup={"groups": grouping.label, "group": group}, n=n, status=Status.TOO_SMALL,
        sentence=f"{grouping.name} '{group}': {n} readable images are too few to judge; left out of the pool.",
    )  # fmt: skip


def _none(made: Study, grouping: Grouping) -> Estimate:
    metric = made.spec.metric("entropy")
    return Estimate(
        metric="entropy", title="Evenness", value=None, unit=metric.unit, direction=metric.direction,
        subgroup={"groups": grouping.label}, n=int((grouping.codes >= 0).sum()),
        status=Status.TOO_SMALL,
        sentence=f"{grouping.name}: fewer than two groups have {made.least} readable images in a pool of more than "
        f"{made.k} images: not judged.",
    )  # fmt: skip
