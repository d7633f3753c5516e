"""The report as Markdown, for a pull request or a mail: the same view model, without plots and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from clipaudit.gate.results import GateResult
from clipaudit.results import Manifest, RunResult
from clipaudit_reports.build import build_report
from clipaudit_reports.view import Block, CellView, FindingView, GateView, HarmSection, ReportView

# what starts markup, a mention, a reference to an issue, a formula or HTML
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#|~$!])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def render_markdown(
    result: RunResult,
    manifest: Manifest | None = None,
    thumbnails: Mapping[str, bytes] | None = None,
    gate: GateResult | None = None,
) -> str:
    """GitHub-flavoured Markdown without HTML. `thumbnails` are not used: Markdown shows no pictures of its own."""
    report = build_report(result, manifest, thumbnails, gate=gate)
    parts = [
        *_first(report),
        *(() if report.gate is None else _gate(report.gate)),
        *_model(report),
        *_scope(report),
        *_standouts(report),
        *(line for section in report.harms for line in _harm(section)),
        *_details(report.done),
        *_back(report),
    ]
    return "\n".join(parts).rstrip() + "\n"


def escape(text: object) -> str:
    r"""One line of text in which nothing is markup.

    >>> escape("<b>*x*</b> | $a$ @you")
    '&lt;b&gt;\\*x\\*&lt;/b&gt; \\| \\$a\\$ &#64;you'
    """
    line = " ".join(str(text).split())
    return "".join(_ENTITIES.get(char, char) for char in _SPECIAL.sub(r"\\\1", line))


def _first(report: ReportView) -> list[str]:
    verdict, model = report.verdict, report.model
    lines = [f"# Audit of {escape(model.name)}", ""]
    lines += [f"**{escape(verdict.state)}.** {escape(verdict.headline)}.", "", escape(verdict.explanation), ""]
    lines += [f"{escape(verdict.findings)}.", ""] if verdict.findings else []
    lines += [
        f"- **{escape(brief.harm.value.capitalize())}: {brief.state}.** {escape(brief.meaning)}"
        + (f" {escape(brief.counts)}." if brief.counts else "")
        for brief in verdict.briefs
    ]
    return lines


def _gate(gate: GateView) -> list[str]:
    head = ("state", "rule", "measured", "interval", "allowed", "n", "n that would decide", "reason")
    rows = [
        (rule.state, f"{rule.asked} ({rule.id}, {rule.severity})", rule.measured, rule.interval, rule.allowed, rule.n,
         rule.needed, rule.reason)
        for rule in gate.rules
    ]  # fmt: skip
    lines = ["", "## Rules", "", *(f"- {escape(problem)}" for problem in gate.problems), ""]
    lines += _table(head, rows) if rows else []
    waivers = [(w.rule, w.state, w.expires, w.owner, w.reason, w.model) for w in gate.waivers]
    if waivers:
        lines += ["", "### Waivers", "", *_table(("rule", "state", "expires", "owner", "reason", "model"), waivers)]
    return [*lines, "", *_pairs(gate.facts)]


def _model(report: ReportView) -> list[str]:
    model = report.model
    lines = ["", "## Model", ""]
    lines += [f"> **Warning:** {escape(warning)}\n>" for warning in model.warnings]
    facts = (("spec", model.spec), ("kind", model.kind), ("fingerprint", model.fingerprint), *_precision(report))
    return [*lines, "", *_pairs((*facts, *model.facts))]


def _precision(report: ReportView) -> tuple[tuple[str, str], ...]:
    model = report.model
    reason = f" ({model.precision_reason})" if model.precision_reason else ""
    return (("precision", f"{model.precision}{reason}"),) if model.precision else ()


def _scope(report: ReportView) -> list[str]:
    rows = [
        (cell.title, cell.data_title or "–", cell.state, cell.reason or f"{cell.rows}, {cell.error_rows} unreadable")
        for cell in report.cells
    ]
    lines = ["", "## What was tested, and what was not", "", *_table(("audit", "data", "state", "detail"), rows)]
    if report.not_tested:
        lines += ["", "Not part of this suite, so nothing is known about:", ""]
        lines += [f"- {escape(f'{each.title}: {each.question}' if each.question else each.title)}"
                  for each in report.not_tested]  # fmt: skip
    return lines


def _standouts(report: ReportView) -> list[str]:
    verdict = report.verdict
    lines = [
        f"- **{escape(found.severity.word)}:** {escape(found.sentence)} ({escape(found.cell_title)})"
        for found in verdict.standouts
    ]
    quiet = [escape(verdict.quiet)] if verdict.quiet else []
    return ["", "## What stands out", "", *(lines or quiet)]


def _harm(section: HarmSection) -> list[str]:
    lines = ["", f"## Harm: {escape(section.heading)}", "", escape(section.meaning), ""]
    head = ("what was asked", "who is affected", "how much", "how sure")
    rows = [
        (
            f"{line.cell_title}: {line.title}",
            "; ".join(f"{key} {values}" for key, values in line.who) or "–",
            line.much or "no adverse effect shown",
            line.sure,
        )
        for line in section.glances
    ]
    lines += _table(head, rows) if rows else []
    for group in section.groups:
        lines += ["", f"### {escape(group.severity.heading)}", "", escape(group.severity.meaning)]
        for block in group.blocks:
            lines += ["", f"#### {escape(block.cell_title)}: {escape(block.title)}", "", *_block(block)]
    return lines


def _block(block: Block) -> list[str]:
    head = ("finding", "value", "interval", "n", "clusters", "p", "corrected p", "chance gives", "detectable")
    lines = _table(head, [_row(finding) for finding in block.findings])
    lines.append("")
    for finding in block.findings:
        remarks = [finding.sentence, *finding.notes]
        remarks += [
            f"{ref.label}: {ref.value}{f' ({ref.source})' if ref.source else ''}." for ref in finding.references
        ]
        lines.append(f"- {escape(' '.join(remarks))}")
    lines += ["", *(f"- {escape(name)}: {escape(text)}" for name, text in block.methods)]
    return lines + [f"- {escape(note)}" for note in block.notes]


def _row(finding: FindingView) -> tuple[str, ...]:
    test = finding.test
    return (
        finding.name,
        finding.value,
        finding.interval,
        finding.n,
        finding.clusters,
        "" if test is None else test.p,
        "" if test is None else test.p_adjusted,
        finding.null,
        finding.detectable,
    )


def _details(cells: Iterable[CellView]) -> list[str]:
    lines = ["", "## Audit by audit"]
    for cell in cells:
        lines += ["", f"### {escape(cell.title)}", "", escape(cell.question), "", f"Harm: {escape(cell.harm)}"]
        lines += ["", *(f"- {escape(note)}" for note in cell.notes)]
        if cell.error_rows:
            lines += ["", f"{cell.error_rows} of {cell.rows} could not be read ({escape(cell.error_share)}):", ""]
            lines += [f"- {escape(error)}" for error in cell.errors]
        for role, blocks in cell.details:
            for block in blocks:
                lines += ["", f"#### {escape(role)}: {escape(block.title)}", "", *_block(block)]
        lines += ["", *_pairs(cell.params)]
    return lines


def _back(report: ReportView) -> list[str]:
    lines = ["", "## Methods and limits"]
    for method in report.methods:
        lines += ["", f"### {escape(method.title)} ({escape(method.id)} {escape(method.version)})", ""]
        lines += [text for paragraph in method.methods for text in (escape(paragraph), "")]
        lines += [f"- Limit: {escape(limit)}" for limit in method.limits]
        lines += [f"- Source: {escape(citation)}" for citation in method.citations]
    lines += ["", "## Data"]
    for data in report.data:
        lines += ["", f"### {escape(data.title)} ({escape(data.id)})", "", *_pairs(data.facts)]
        lines += [f"- Limit: {escape(limit)}" for limit in data.limits]
    return [*lines, "", "## How the run was made", "", *_pairs(report.manifest.facts)]


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"- {escape(name)}: {escape(value)}" for name, value in pairs]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return lines + [f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows]
