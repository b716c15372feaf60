"""A build's report for people: plain lines for a terminal, Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Callable

from robbieblocks.messages import counted, size, visible_line
from robbieblocks.pipeline import BuildReport, PageReport, RunReport, causes_text

_SHORT_HASH = 12


def as_text(report: BuildReport) -> str:
    """One line for each run and each changed page, then the problems and the work done."""
    lines: list[str] = []
    width = max((len(run.node) for run in report.runs), default=0)
    app_width = max((len(run.app) for run in report.runs), default=0)
    for run in report.runs:
        lines.append(f"{run.node:<{width}}  {run.app:<{app_width}}  {_outcome(run, report)}")
        if run.styles:
            lines.append(visible_line(f"    changed    styles{causes_text(run.styles)}"))
        lines += (
            f"    {_page_line(page, run)}" for page in run.pages if page.change != "unchanged"
        )
        if run.error and not run.error.startswith("held back:"):
            lines.append(f"    {run.error}")
    if report.problems:
        lines.append("")
        lines += (str(problem) for problem in report.problems)
    lines += ("", _work(report))
    if report.out:
        lines.append(f"preview: python3 -m http.server --directory {report.out}/<node>")
    return "\n".join(lines)


def _outcome(run: RunReport, report: BuildReport) -> str:
    changed = len(run.changed)
    pages = f"{counted(changed, 'page')} of {len(run.pages)}"
    hash_ = run.build_hash[:_SHORT_HASH]
    if run.outcome == "failed":
        return (
            f"failed      {hash_:<{_SHORT_HASH}}  {counted(len(run.held_back), 'page')} held back"
        )
    if run.outcome == "unchanged":
        return f"unchanged   {hash_}  {counted(len(run.pages), 'page')}"
    if report.dry_run:
        return f"would go    {hash_}  {pages}, {size(run.bytes_written)}"
    return (
        f"published   {hash_}  {pages}, {counted(run.files_written, 'file')} written "
        f"({size(run.bytes_written)}) in {run.deploy_ms} ms"
    )


def _page_line(page: PageReport, run: RunReport) -> str:
    draft = "  draft" if page.key in run.drafts else ""
    names = f"{page.change:<9}  {page.key}  {page.route or '(never live)'}{draft}"
    return visible_line(f"{names}{_sizes(page)}{causes_text(page.causes)}")


def _sizes(page: PageReport) -> str:
    if page.size is None:
        return ""
    if not page.size_before:
        return f"  {size(page.size)}"
    return f"  {size(page.size_before)} -> {size(page.size)}"


def _work(report: BuildReport, write: Callable[[str], str] = str) -> str:
    compiled = len(report.compiled)
    named = f" ({', '.join(map(write, report.compiled))})" if 0 < compiled <= 5 else ""
    total = round(sum(report.phases.values()))
    return (
        f"{counted(compiled, 'module')} compiled{named}, "
        f"{counted(report.blocks_rendered, 'block')} rendered, {total} ms"
    )


def as_markdown(report: BuildReport) -> str:
    """A table of the pages that change, for a comment in a pull request."""
    verb = "would change" if report.dry_run else "changed"
    touched = [
        (run, page) for run in report.runs for page in run.pages if page.change != "unchanged"
    ]
    count = len({page.key for _, page in touched})
    lines = [f"### RobbieBlocks: {counted(count, 'page')} {verb}", ""]
    for run in [run for run in report.runs if run.styles]:
        causes = _code(causes_text(run.styles).strip(" ()"))
        lines += (f"Styles of {_code(run.app)} on {_code(run.node)} {verb}: {causes}", "")
    if touched:
        lines += ("| page | node | app | change | size |", "|---|---|---|---|---|")
        lines += (_row(run, page) for run, page in touched)
        lines.append("")
    for problem in report.problems:
        fence = _fence(str(problem), at_least=3)
        lines += (f"{fence}text", str(problem), fence, "")
    lines.append(_work(report, _code))
    return "\n".join(lines)


def _row(run: RunReport, page: PageReport) -> str:
    names = (page.route or page.key, run.node, run.app)
    change = f"{page.change} (draft)" if page.key in run.drafts else page.change
    cells = (*map(_code, names), change, _sizes(page).strip())
    return "| " + " | ".join(cells) + " |"


def _code(name: str) -> str:
    """A row's text in a table cell as code, in which Markdown finds no HTML, link or mention."""
    text = visible_line(name).replace("|", "\\|")
    fence = _fence(text, at_least=1)
    gap = " " if "`" in text else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def _fence(text: str, *, at_least: int) -> str:
    """More backticks than the text has in a row, so that it can't end what they enclose."""
    return "`" * max(at_least, *(len(run) + 1 for run in re.findall("`+", text)), 0)
