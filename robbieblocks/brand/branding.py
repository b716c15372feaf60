"""A node's branding: its tokens as custom properties, its fonts, its own CSS and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from robbieblocks.brand.css import CssProblem, sheet_doubts, sheet_problems, variable_doubts
from robbieblocks.brand.favicon import branded_favicon
from robbieblocks.brand.fonts import Fonts, HostedFonts
from robbieblocks.brand.node_texts import image_problem
from robbieblocks.brand.own_fonts import NO_FONTS, OwnFonts
from robbieblocks.brand.schemes import Scheme
from robbieblocks.brand.social_card import card_style
from robbieblocks.brand.tokens import ResolvedTokens, node_problem
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import printable
from robbieblocks.model import (
    NO_SETTINGS,
    Asset,
    BrandedNode,
    CardStyle,
    NodeRow,
    OwnFont,
    TokenRow,
)
from robbieblocks.names import NAME_REMEDY, NODE_LENGTH, app_problem, name_problem, text_problem
from robbieblocks.row_faults import blame
from robbieblocks.site_settings import read_settings

LAYERS = "@layer tokens, base, layout, components, utilities, node;"
MAX_SCRIPTS = 1024 * 1024


def brand(
    node: NodeRow,
    tokens: Sequence[TokenRow],
    fonts: Fonts,
    own_fonts: Mapping[str, OwnFont] = NO_FONTS,
) -> BrandedNode:
    """The node's stylesheet, fonts, CSS and scripts, with every problem found in `problems`.

    `fonts` returns the files of a family, or none; `own_fonts` are those of media, by the addresses
    that the node's CSS has of them. What is wrong is left out of the result, which
    must not be published where a problem is an error. Equal rows give equal bytes.
    """
    resolved = ResolvedTokens(node, tokens)
    own = OwnFonts(node.custom_css)
    with blame(list[Problem]().append, "node_branding", node.id, "custom_css"):
        own = OwnFonts.of(node.custom_css, own_fonts)
    hosted = HostedFonts(node, resolved, fonts, own.fallbacks)
    settings, wrong = read_settings(node.settings)
    scheme = Scheme(node, settings, tokens, resolved)
    problems = [*_row_problems(node), *resolved.problems, *hosted.problems, *scheme.problems]
    for each in wrong:
        problem = node_problem(node, "settings", each.what, each.remedy)
        problems.append(replace(problem, pointer=each.pointer, passing=each.passing))
    if settings.languages != NO_SETTINGS.languages:
        what = "languages belong to an app, whose pages all nodes share"
        remedy = "write them into the metadata.settings of a frame of the app"
        problem = node_problem(node, "settings", what, remedy)
        problems.append(replace(problem, pointer="/languages"))
    card: CardStyle | None = None
    with blame(problems.append, "node_branding", node.id, "settings", pointer="/social_card"):
        if settings.social_card:
            card = card_style(node, resolved.values, hosted, own, problems)
    custom_css: Asset | None = None
    with blame(problems.append, "node_branding", node.id, "custom_css"):
        variables = frozenset(map(property_name, resolved.values))
        custom_css = _custom_css(node, own.css, variables, problems)
    return BrandedNode(
        id=node.id,
        name=node.name,
        theme=node.theme,
        base_url=node.base_url.strip().rstrip("/"),
        favicon=branded_favicon(node.name, resolved.values),
        tokens=resolved.values,
        aliases=resolved.aliases,
        scheme=scheme.values,
        stylesheet=Asset.of("tokens", "css", _stylesheet(node.theme, resolved, scheme, hosted)),
        custom_css=custom_css,
        custom_scripts=_custom_scripts(node, problems),
        fonts=hosted.assets,
        title_pattern=node.title_pattern.strip(),
        og_image=node.og_image.strip(),
        card=card,
        settings=settings,
        problems=tuple(problems),
    )


def _stylesheet(theme: str, resolved: ResolvedTokens, scheme: Scheme, hosted: HostedFonts) -> str:
    """The token stylesheet. It is the first on a page, so it declares the order of the layers."""
    other = ""
    if scheme.values:
        theme = f"{theme} {scheme.theme}"
        other = f"@media {scheme.media}{{:root{{\n{_properties(scheme.changed, hosted)}}}}}\n"
    own = f":root{{color-scheme:{theme};\n{_properties(resolved.values, hosted)}}}"
    return f"{LAYERS}\n{hosted.rules}@layer tokens{{{own}{other}}}\n"


def _properties(values: Mapping[str, str], hosted: HostedFonts) -> str:
    return "".join(
        f"{property_name(key)}:{hosted.with_fallback(key, value)};\n"
        for key, value in values.items()
    )


def _row_problems(node: NodeRow) -> Iterator[Problem]:
    if wrong := name_problem(node.id, longest=NODE_LENGTH):
        yield node_problem(node, "node_id", f"the node's id {wrong}", NAME_REMEDY)
    if wrong := text_problem(node.name):
        yield node_problem(node, "node_name", f"the name {wrong}", "remove it")
    for app in node.enabled_apps:
        if wrong := app_problem(app):
            yield node_problem(
                node, "enabled_apps", f"the app's name `{printable(app)}` {wrong}", NAME_REMEDY
            )
    if wrong := image_problem(node.og_image.strip()):
        remedy = "put one into content/media/ and import it"
        problem = node_problem(node, "style_overrides", wrong, remedy)
        yield replace(problem, pointer="/og_image")
    faults: list[Problem] = []
    with blame(faults.append, "node_branding", node.id, "base_url"):
        if wrong := _base_url_problem(node.base_url.strip()):
            remedy = "write the site's address, such as https://play.example"
            faults.append(node_problem(node, "base_url", wrong, remedy))
    yield from faults


def _base_url_problem(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{printable(url)} is no address: {error}"
    plain = url.isprintable() and not any(c in url for c in " \"'<>\\`{}|^")
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return f"{printable(url)} is no http or https address"
    if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
        return f"{printable(url)} holds more than scheme, host and port"
    return None


def _custom_css(
    node: NodeRow, shown: str, variables: frozenset[str], problems: list[Problem]
) -> Asset | None:
    """The node's own CSS as it is `shown`: with what fonts of media need. `variables` are the
    custom properties of its tokens.
    """
    css = node.custom_css
    if not css.strip():
        return None
    found = sheet_problems(css)
    lines = css.split("\n")

    def tell(each: CssProblem, severity: Severity = "error", rule: str = "") -> None:
        source = lines[each.line - 1] if each.line and each.line <= len(lines) else ""
        problem = node_problem(node, "custom_css", each.what, each.remedy)
        at = replace(problem, line=each.line, column=each.column, source=source)
        problems.append(replace(at, severity=severity, rule=rule))

    for each in found:
        tell(each)
    if found:
        return None
    for each in sheet_doubts(css):
        tell(each, "warning", "unknown-property")
    for each in variable_doubts(css, variables):
        tell(each, "warning", "unknown-token")
    return Asset.of("node", "css", f"@layer node{{\n{shown}\n}}\n")


def _custom_scripts(node: NodeRow, problems: list[Problem]) -> Asset | None:
    script = node.custom_scripts
    if not script.strip():
        return None
    wrong = text_problem(script)
    if wrong or len(script) > MAX_SCRIPTS:
        what = f"the script {wrong}" if wrong else f"the script has {len(script):,} characters"
        remedy = "remove it" if wrong else f"use at most {MAX_SCRIPTS:,}"
        problems.append(node_problem(node, "custom_scripts", what, remedy))
        return None
    return Asset.of("node", "js", script)
