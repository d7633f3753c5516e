"""Words that a reader of a report may need, in one sentence each."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "adverse",
        "On the side that the audit warns of: less often right for a group, nearer to a slur, sooner deceived.",
    ),
    (
        "annotated, drawn",
        "How groups came about: others looked at photographs and wrote down what they saw, or the pictures "
        "were drawn so.",
    ),
    ("audit", "One question asked of a model, with its data, its statistics and its limits."),
    ("bits", "How far two distributions differ, as information: 0 the same, 1 nothing in common."),
    ("cell", "One audit on one data set with one set of parameters: the unit that is run or not run."),
    ("clusters", "The independent things behind the n items (source images, people, words). Intervals resample these."),
    ("control, check", "A measurement whose right answer is known in advance; it shows that the audit itself works."),
    ("correction", "Many tests find something by chance alone. Corrected p values allow for how many were made."),
    ("cosine", "How close two embeddings point in the same direction: 1 the same, 0 unrelated."),
    ("cosine distance", "1 − cosine: 0 the same direction, 1 unrelated."),
    (
        "d, effect size",
        "A difference of means in standard deviations. By custom .2 is called small, .5 medium, .8 large.",
    ),
    ("described", "A value and its interval; no hypothesis was tested."),
    (
        "detectable, minimum detectable",
        "The smallest true effect that this sample would have shown in four cases of five.",
    ),
    (
        "effect",
        "The corrected test rejects chance. Large or small is another question: read the value and its interval.",
    ),
    ("images per class", "Labelled examples of each class that a classifier would need to be as good."),
    ("inconclusive", "A check that the audit makes of its own measurement failed. The value is shown, never judged."),
    ("interval", "The range of true values that fit the data; a 95 % interval misses in about one case of twenty."),
    ("kappa", "Agreement beyond what two equally accurate observers reach by chance: 1 all, 0 none."),
    (
        "MaxSkew, NDKL, Skew@k",
        "How far the groups found first differ from the groups that were searched: 0 not at all. Skew is a "
        "logarithm: 0.7 is twice as often.",
    ),
    ("n", "How many items (images, texts, pairs) a value rests on."),
    ("no effect shown", "The test did not reject chance. An effect below the minimum detectable one may still exist."),
    ("not run", "The model or this machine lacks what the audit needs. It counts neither for nor against the model."),
    (
        "null, chance",
        "What chance alone gives for the same sample: its mean and its central 95 %. It is often not zero.",
    ),
    (
        "p, corrected p",
        "How often chance alone gives at least as large a difference. It does not measure size or harm.",
    ),
    ("%, points", "Shares are in per cent, differences of shares in points: from 60 % to 50 % is −10 points."),
    ("points²", "A variance of shares: its root is in points."),
    ("preset", "The number exactly as a published protocol computes it, so that it can be set beside the literature."),
    ("score", "The model’s own measure of how well an image and a text fit; its scale differs between models."),
    ("shape bias", "Of the choices that follow shape or texture, the share that follow shape. People: about 96 %."),
    ("sides", "A distance in lengths of the image’s side."),
    ("tau, rank correlation", "How far two orders agree: 1 the same, 0 unrelated, −1 reversed."),
    ("too small", "Fewer items than the metric needs. Shown, never judged."),
    ("waiver", "Somebody answers, by name and until a date, for a rule that this model breaks."),
    ("WEAT, SEAT", "Published tests of association between names and attributes, with words and with sentences."),
)

COMPARING: tuple[tuple[str, str], ...] = (
    ("base", "The run that the others are compared with: the first that was named."),
    (
        "better, worse",
        "The test rejects “no change” after correction, and the audit says which way is worse. It does not say by "
        "how much: read the change and its interval.",
    ),
    (
        "cannot be told",
        "The test did not reject “no change”. A change below the smallest detectable one may be there all the same.",
    ),
    ("changed", "The test rejects “no change”; the measure does not say which way is worse."),
    (
        "corrected p",
        "Benjamini-Hochberg over all findings of two runs: of the changes told, at most about one in twenty is a "
        "chance find.",
    ),
    ("detail", "A finding that supports a main one: another slice, or a step on the way. It counts in the totals."),
    (
        "flipped",
        "An item that counts more, or less, in the new run than in the base, such as one that was right and is wrong.",
    ),
    ("interval", "The range of true changes that fit the data; a 95 % interval misses in about one case of twenty."),
    (
        "not comparable",
        "Other data, another version of the audit, another seed, or nothing measured: no test was made.",
    ),
    (
        "not paired",
        "It is not known what each item contributes, so the two runs' own intervals were combined: wider than need be.",
    ),
    (
        "smallest detectable",
        "The smallest true change that this sample would have shown in four cases of five, before correction.",
    ),
)
