"""Runs every rule that is not off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.check_rules import RULES
from robbieblocks.checks import rows
from robbieblocks.checks.finding import Checked, Finder, Finding, Found
from robbieblocks.checks.rules import (
    allowances,
    classes,
    contrast,
    css_properties,
    elements,
    examples,
    links,
    media,
    moved,
    search,
    tokens,
    types,
    unshown,
    unused,
    varying,
)
from robbieblocks.errors import Problem, Severity
from robbieblocks.row_faults import blame


def _of_build(severity: Severity) -> Finder:
    def find(checked: Checked) -> Iterator[Found]:
        for each in checked.inspection.problems:
            # What a rule of its own finds as well has a level of its own.
            if each.severity == severity and not each.rule:
                yield Found(each)

    return find


# By the names of `check_rules.RULES`.
FINDERS: Final[Mapping[str, Finder]] = {
    "build-error": _of_build("error"),
    "build-warning": _of_build("warning"),
    "types": types.types,
    "unknown-token": tokens.unknown_token,
    "unknown-property": css_properties.unknown_properties,
    "unknown-keyframes": css_properties.keyframes,
    "unknown-class": classes.unknown_classes,
    "unshown-page": unshown.unshown_pages,
    "unknown-node": unshown.unknown_nodes,
    "search-off": search.search_off,
    "unused-search": search.unused_search,
    "dead-link": rows.each_page_on_nodes(links.dead_links),
    "missing-file": rows.each_page_on_nodes(links.missing_files),
    "moved-page": moved.moved_pages,
    "dead-fragment": rows.each_page_on_nodes(links.dead_fragments),
    "wide-host": allowances.wide_hosts,
    "unused-host": allowances.unused_hosts,
    "report-address": allowances.unreachable_reports,
    "script-integrity": allowances.scripts_without_integrity,
    "image-alt": rows.each_element(elements.image_text),
    "image-size": rows.each_element(elements.image_size),
    "duplicate-id": rows.each_page(elements.duplicate_ids),
    "contrast": contrast.low_contrast,
    "varying-block": varying.varying_blocks,
    "outdated-component": unused.outdated_components,
    "unused-component": unused.unused_components,
    "wrong-example": examples.wrong_examples,
    "unused-token": unused.unused_tokens,
    "wrong-media": media.wrong_media,
    "lost-media": media.lost_media,
    "unused-media": media.unused_media,
    "media-alt": media.undecided_alt,
}


def run(checked: Checked) -> tuple[Finding, ...]:
    """What all rules find, each finding once: errors first, else in the order of the rules."""
    found: dict[Finding, None] = {}
    for rule in RULES:
        level = checked.settings.checks.get(rule.name, rule.level)
        if level != "off":
            severity: Severity = "error" if level == "error" else "warning"
            found.update(dict.fromkeys(_findings(rule.name, severity, checked)))
    return tuple(sorted(found, key=lambda each: each.problem.severity))


def _findings(rule: str, severity: Severity, checked: Checked) -> Iterator[Finding]:
    faults: list[Problem] = []
    found: list[Found] = []
    with blame(faults.append, "rule", rule):
        found += FINDERS[rule](checked)
    for problem, nodes in (*found, *map(Found, faults)):
        if checked.concerns(problem):
            yield Finding(rule, replace(problem, severity=severity), nodes)
