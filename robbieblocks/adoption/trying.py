"""Compiles drafts with the house's bundler and renders their components: what works is seen so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import NAMESPACE_URL, uuid5

from robbieblocks.adoption.drafts import Draft
from robbieblocks.adoption.types.props import sample
from robbieblocks.errors import Problem
from robbieblocks.model import (
    Bundle,
    ComponentRow,
    Json,
    RenderedBlock,
    RenderJob,
    TokenRow,
)
from robbieblocks.pipeline import BuildContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How a component did. `renders` is None for a module, and where it can't be built."""

    builds: bool
    renders: bool | None = None
    problems: tuple[Problem, ...] = ()
    render_problem: Problem | None = None
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A draft as it will lie in the content folder: `code` and `css` may be a person's.

    `names` say how messages name the file of each of the two. `shown` is the text that they quote
    of the code: where it is the source's, the file as it is there.
    """

    draft: Draft
    code: str
    css: str
    shown: str
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def row(self) -> ComponentRow:
        """The row that an import will make."""
        draft = self.draft
        return ComponentRow(
            id=uuid5(NAMESPACE_URL, draft.key),
            key=draft.key,
            name=draft.name,
            type=draft.kind,
            code=self.code,
            css=self.css,
        )


def tried(
    trials: Sequence[Trial],
    others: Iterable[ComponentRow],
    tokens: Sequence[TokenRow],
    context: BuildContext,
) -> dict[str, Tried]:
    """Each trial's result by its key. `others` are the project's components. Raises Transient."""
    by_key = {trial.draft.key: trial for trial in trials}
    rows = {row.key: row for row in others} | {key: each.row for key, each in by_key.items()}
    bundle = context.bundler.bundle(
        rows,
        by_key.keys(),
        toolchain=context.toolchain,
        tokens=tokens,
        base_css=context.base_css,
    )
    rendered = _rendered(trials, bundle, context)
    found: dict[str, Tried] = {}
    for key, trial in by_key.items():
        own = [each for each in bundle.problems if each.key == key]
        causes = {each.key for each in bundle.blame.get(key, ())} - {key}
        renders = rendered.get(key)
        found[key] = Tried(
            builds=key not in bundle.broken,
            renders=renders.problem is None if renders is not None else None,
            problems=tuple(_in_file(each, trial) for each in own),
            render_problem=_render_problem(renders.problem, by_key) if renders else None,
            through=tuple(sorted(causes)) if key in bundle.broken else (),
        )
    return found


def _rendered(
    trials: Sequence[Trial], bundle: Bundle, context: BuildContext
) -> dict[str, RenderedBlock]:
    """Each component by its key, rendered alone with props as its schema has them."""
    components = [
        each.draft
        for each in trials
        if each.draft.kind == "component" and each.draft.key not in bundle.broken
    ]
    jobs = {draft.key: _job(draft) for draft in components}
    try:
        blocks = context.prerenderer.render(list(jobs.values()), bundle) if jobs else []
    finally:
        context.prerenderer.keep_one()
    return dict(zip(jobs, blocks, strict=True))


def _job(draft: Draft) -> RenderJob:
    props: Json = {} if draft.props is None else sample(draft.props)
    return RenderJob(component=draft.key, props_json=json.dumps(props), prefix="b1-")


def _in_file(problem: Problem, trial: Trial) -> Problem:
    """A problem of a row, said of the file that a person wrote, with the line as it is there."""
    name = trial.names.get(problem.field)
    if name is None:
        return problem
    lines = trial.shown.split("\n")
    source = problem.source
    if problem.field == "react_code" and problem.line is not None and problem.line <= len(lines):
        source = lines[problem.line - 1].rstrip("\r")
    return replace(problem, entity="file", key=name, field="", source=source)


def _render_problem(problem: Problem | None, trials: Mapping[str, Trial]) -> Problem | None:
    """What a component fails with, in the file where it does: it may be one that it imports."""
    if problem is None or (trial := trials.get(problem.key)) is None:
        return problem
    return _in_file(problem, trial)
