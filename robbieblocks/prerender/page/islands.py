"""A page's islands: the blocks that the browser hydrates or renders again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from robbieblocks.errors import Problem
from robbieblocks.model import (
    RUNTIME_PARTS,
    AssembledBlock,
    AssembledPage,
    RenderedBlock,
    component_specifier,
)
from robbieblocks.prerender.page import head

HtmlSetter = Callable[[str], str]
"""With what a component, by its key, may set HTML; or ""."""

# An element that has it does its work without scripts, too.
_PLAIN: Final = " data-works-plain"
_FILL: Final = RUNTIME_PARTS["fill"]
_RESTORE: Final = RUNTIME_PARTS["restore"]
_FORMS: Final = RUNTIME_PARTS["forms"]
# React's address of a form whose action is a function (react-dom, form replaying), as HTML has it.
_FORM_ACTION: Final = "javascript:throw new Error("
# What a visitor types into, or chooses with.
_CONTROL: Final = re.compile(r"<(?:input|textarea|select)\b|\scontenteditable=", re.IGNORECASE)
# Names of props that are HTML, which a component may spread over an element.
_HTML_PROP: Final = re.compile(
    r'"(dangerouslySetInnerHTML|__html|innerHTML|outerHTML|srcdoc)"\s*:', re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Islands:
    """A page's islands: their components, those of them that load at once, and the page's JSON.

    The JSON's keys are bytes of the page and are read by `bundle/runtime/islands.js`: `fresh` says
    that the block showed the clock, randomness or the locale, `anew` that it is rendered again
    instead of hydrated, because browsers have another tree than React. `still` says that it has no
    state and no events: it is only rendered where the URL's query fills a placeholder of `fill`.
    `parts` are the specifiers of what islands.js may import, and of what keeps forms; `eager_parts`
    those that it imports at once. `has_controls`: one of them does nothing without scripts.
    `may_make_html`: one of them may make elements of a text, in its code or by the name of a prop.
    """

    components: frozenset[str] = frozenset()
    eager: frozenset[str] = frozenset()
    json: str = ""
    parts: frozenset[str] = frozenset()
    eager_parts: frozenset[str] = frozenset()
    has_controls: bool = False
    may_make_html: bool = False
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(
        cls,
        page: AssembledPage,
        rendered: Mapping[int, RenderedBlock],
        html_setter: HtmlSetter,
        maker: HtmlSetter,
    ) -> Self:
        """The islands among a page's blocks; `rendered` holds each block by its order.

        `html_setter` says with what a component may set HTML. A block that may is not filled, nor
        one that is never hydrated: each has a warning among `problems`. `maker` says with what it
        may make HTML or scripts while it runs.
        """
        problems: list[Problem] = []
        blocks: list[AssembledBlock] = []
        for block in page.blocks:
            unfilled = None if block.fill is None else _unfilled_problem(page, block, html_setter)
            if unfilled is not None:
                problems.append(unfilled)
            blocks.append(block._replace(fill=None) if unfilled else block)
        listed = [
            (block, rendered[block.order])
            for block in blocks
            if block.hydrate != "never" and (rendered[block.order].lives or block.fill is not None)
        ]
        entries = [_entry(block, made) for block, made in listed]
        eager = [(block, made) for block, made in listed if _is_eager(block, made)]
        return cls(
            problems=tuple(problems),
            components=frozenset(block.component for block, _ in listed),
            eager=frozenset(block.component for block, _ in eager),
            parts=_parts(listed),
            eager_parts=frozenset([_RESTORE] if any(_differs(made) for _, made in eager) else []),
            has_controls=any(made.interactive and _PLAIN not in made.html for _, made in listed),
            may_make_html=any(
                maker(block.component) or _HTML_PROP.search(block.props_json) for block, _ in listed
            ),
            json=head.inert(f"[{','.join(entries)}]") if entries else "",
        )


def _html_setter(block: AssembledBlock, html_setter: HtmlSetter) -> str:
    """What may make HTML of a block's props, in its code or as the name of a prop; or ""."""
    found = _HTML_PROP.search(json.dumps(block.fill))
    return found[1] if found else html_setter(block.component)


def _unfilled_problem(
    page: AssembledPage, block: AssembledBlock, html_setter: HtmlSetter
) -> Problem | None:
    """Why a block's placeholders are not filled, or None where they are."""
    if block.hydrate == "never":
        why = "because the block is never hydrated"
        remedy = "let it hydrate, or take the placeholders away"
    elif setter := _html_setter(block, html_setter):
        why = f"because the block may set raw HTML: it has `{setter}`"
        remedy = "show the text as a child of an element, or take the placeholders away"
    else:
        return None
    return Problem(
        entity="component",
        key=block.component,
        page=block.frame or page.key,
        block=block.own_order,
        field="props",
        what=f"placeholders are not filled, {why}",
        remedy=remedy,
        severity="warning",
    )


def _is_eager(block: AssembledBlock, made: RenderedBlock) -> bool:
    """Whether every visitor needs the block's module at once, so that it is worth a preload."""
    return made.lives and block.hydrate == "load" and block.visitor is None


def _is_fresh(made: RenderedBlock) -> bool:
    return made.rerender and not made.misnested


def _is_anew(block: AssembledBlock, made: RenderedBlock) -> bool:
    """Whether its elements are made anew, for every visitor or for those who fill a placeholder."""
    return made.misnested != "" or block.fill is not None


def _differs(made: RenderedBlock) -> bool:
    return made.rerender or made.misnested != ""


def _parts(listed: Sequence[tuple[AssembledBlock, RenderedBlock]]) -> frozenset[str]:
    """What islands.js may import: to fill placeholders, to put right what differs or was typed."""
    fills = any(block.fill is not None for block, _ in listed)
    forms = any(_FORM_ACTION in made.html for _, made in listed)
    restores = any(
        _is_fresh(made) or _is_anew(block, made) or _CONTROL.search(made.html)
        for block, made in listed
    )
    wanted = {_FILL: fills, _FORMS: forms, _RESTORE: restores}
    return frozenset(name for name, is_wanted in wanted.items() if is_wanted)


def _entry(block: AssembledBlock, made: RenderedBlock) -> str:
    use = json.dumps(component_specifier(block.component))
    entry = f'{{"id":"{block.id}","use":{use},"when":"{block.hydrate}","props":{block.props_json}'
    if made.lives and made.misnested:
        entry += ',"anew":true'
    elif _is_fresh(made):
        entry += ',"fresh":true'
    elif not made.interactive:
        entry += ',"still":true'
    if block.fill is not None:
        entry += f',"fill":{json.dumps(block.fill, separators=(",", ":"))}'
    return entry + "}"
