"""Words that a reader of a report may need, in one sentence each."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("audit", "One question asked of a model, with its data, its statistics and its limits."),
    ("cell", "One audit on one data set with one set of parameters: the unit that is run or not run."),
    ("clusters", "The independent things behind the n items (source images, people, words). Intervals resample these."),
    ("control", "A measurement whose right answer is known in advance; it shows that the audit itself works."),
    ("correction", "Many tests find something by chance alone. Corrected p values allow for how many were made."),
    ("cosine", "How close two embeddings point in the same direction: 1 the same, 0 unrelated."),
    (
        "effect",
        "The corrected test rejects chance. Large or small is another question: read the value and its interval.",
    ),
    ("inconclusive", "A check that the audit makes of its own measurement failed. The value is shown, never judged."),
    ("interval", "The range of true values that fit the data; a 95 % interval misses in about one case of twenty."),
    ("minimum detectable", "The smallest true effect that this sample would have shown in four cases of five."),
    ("no effect shown", "The test did not reject chance. An effect below the minimum detectable one may still exist."),
    ("not run", "The model or this machine lacks what the audit needs. It counts neither for nor against the model."),
    ("null", "What chance alone gives for the same sample: its mean and its central 95 %. It is often not zero."),
    ("p value", "How often chance alone gives at least as large a difference. It does not measure size or harm."),
    ("preset", "The number exactly as a published protocol computes it, so that it can be set beside the literature."),
    ("too small", "Fewer items than the metric needs. Shown, never judged."),
)
