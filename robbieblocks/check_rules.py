"""The rules of `robbieblocks check`: their names, their levels, and what each of them finds.

`robbieblocks.toml` names a rule below `[checks]`; a name is never given to another rule.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Level = Literal["error", "warning", "off"]
LEVELS: Final = ("error", "warning", "off")


class Rule(NamedTuple):
    """A rule. `level` holds where the project names no other; `finds` is one line of Markdown."""

    name: str
    level: Level
    finds: str


RULES: Final = (
    Rule("build-error", "error", "what holds a page back, or a whole node"),
    Rule("build-warning", "warning", "what a build warns of, as far as no other rule finds it"),
    Rule("types", "error", "what TypeScript finds in components"),
    Rule(
        "unknown-token",
        "error",
        "`var(--x)` or `bg-(--x)` in CSS, code, props or tokens where no token and nothing else "
        "sets `--x`; with a fallback only where the name is almost that of a token",
    ),
    Rule(
        "unknown-property",
        "warning",
        "a property that no browser has, a value, selector or media query that browsers pass over, "
        "in stylesheets, `style` attributes and utilities (`w-[16]`); custom properties, those of "
        "a vendor (`-webkit-`), and what stands in `@supports` are not judged",
    ),
    Rule(
        "unknown-keyframes",
        "warning",
        "an animation, in tokens too, whose keyframes neither its stylesheet, a template, a node "
        "nor a utility has",
    ),
    Rule(
        "unknown-class",
        "warning",
        "a class in a component's code that no stylesheet has, and that is almost the name of one "
        "which applies there: of the templates, a node, the component, Tailwind or a token",
    ),
    Rule(
        "unshown-page",
        "error",
        "a page whose app no node enables, so that it is nowhere to be seen",
    ),
    Rule(
        "unknown-node",
        "error",
        "a block's condition that names a node or an app that is not there",
    ),
    Rule(
        "search-off",
        "error",
        "a page with a search field, whose app has no index (`search.apps`)",
    ),
    Rule(
        "unused-search",
        "warning",
        "an app of `search.apps` that is not there, or of which no page has a search field",
    ),
    Rule("dead-link", "error", "a link to a page that the same node does not have"),
    Rule(
        "missing-file", "error", "the address of a picture or file that the same node does not have"
    ),
    Rule(
        "moved-page",
        "warning",
        "a page with another route than its live one, where no redirect leads from there to it",
    ),
    Rule("dead-fragment", "warning", "a link to `#id` of a page that has no such id"),
    Rule(
        "wide-host",
        "warning",
        "a host or site of `settings` that stands for several: `https://*.x`, or `https:` for all",
    ),
    Rule(
        "unused-host",
        "warning",
        "a host of `settings` that no row names; not judged beside a script of another site",
    ),
    Rule(
        "report-address",
        "warning",
        "`reports` of `settings` that visitors' browsers can't reach, and `report_only` without it",
    ),
    Rule(
        "script-integrity",
        "warning",
        "a script of another site in `settings` without `integrity`",
    ),
    Rule("image-alt", "error", "an image without `alt`"),
    Rule(
        "image-size",
        "warning",
        "an image without width and height to which no CSS gives a height or an aspect-ratio",
    ),
    Rule("duplicate-id", "error", "an id that several elements of a page have"),
    Rule(
        "contrast",
        "error",
        "text in a colour too like its background on a node (WCAG 2.2 AA: 4.5:1, large text 3:1), "
        "where a CSS rule, a `style` or an element's utility classes set both; and the tokens "
        "`color.on-x` on `color.x`, and `color.text`, `color.text-muted`, `color.heading` and "
        "`color.link` on `color.background`, as base styles have them",
    ),
    Rule(
        "varying-block",
        "warning",
        "a block whose HTML differs with the clock, randomness, locale or time zone: the browser "
        "renders it again, and visitors see it change; or, where its `hydrate` is `never`, they "
        "see what the build's own clock gave",
    ),
    Rule(
        "outdated-component",
        "warning",
        "a component of the package (`search`, `markdown`, …) whose row is that of an earlier "
        "version: `robbieblocks content import` brings it up to date; not where somebody changed "
        "the row",
    ),
    Rule(
        "unused-component",
        "warning",
        "a component that no page places, and that none of the placed ones imports",
    ),
    Rule(
        "wrong-example",
        "error",
        "an example of a component that can't be read, or has props that it refuses",
    ),
    Rule("unused-token", "warning", "a token that no CSS, class, code, prop or other token reads"),
    Rule("wrong-media", "error", "a file of media that is named, and can't be shown"),
    Rule(
        "lost-media",
        "error",
        "a file of media whose object is not in the bucket, or has another size than its row says",
    ),
    Rule(
        "unused-media",
        "warning",
        "a file of media that nothing names, and that has no address of its own",
    ),
    Rule("media-alt", "warning", "a picture on a page with neither `alt` nor `is_decorative`"),
)
