"""The Content-Security-Policy of a page, with slots for what a node or a setting allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.content import Content
from robbieblocks.prerender.page.node_slots import SLOTS
from robbieblocks.prerender.page.page_assets import PageAssets

# The directives that no setting changes.
FIXED: Final = "worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'"


def page_policy(
    content: Content,
    loads: PageAssets,
    style: str,
    *,
    inline_scripts: Sequence[str],
    trusted_types: str,
) -> str:
    """The policy of a page, with slots for its node's own.

    `style` is the text of its conditions, `inline_scripts` are those that it has of ours,
    `trusted_types` is a directive or a slot.
    """
    scripts = [head.SPECULATION]
    scripts += [loads.import_map] if loads.import_map else []
    scripts += [*inline_scripts, *loads.inline_scripts]
    styles = None
    if loads.styles is not None:
        styles = [*([style] if style else []), *content.inline_styles, *loads.styles]
    forms = head.form_origins(content.about.metadata)
    return policy(
        scripts=scripts,
        styles=styles,
        forms=forms,
        others=SLOTS.other_sources,
        scripts_from=SLOTS.script_sources,
        node_styles=SLOTS.style_sources,
        trusted_types=trusted_types,
        wasm=content.searches,
    )


def trusted_types_of(content: Content) -> str:
    """The directive of a page, or the slot in which a node decides."""
    match content.settings.trusted_types:
        case "on":
            return head.NO_HTML_FROM_TEXT
        case "off":
            return ""
        case _ if content.settings.scripts:
            # What other sites' scripts do, they do with texts.
            return str(SLOTS.trusted_types_forced)
        case _:
            name = "trusted_types_forced" if content.islands.may_make_html else "trusted_types"
            return str(getattr(SLOTS, name))


def policy(
    *,
    scripts: Iterable[str],
    styles: Iterable[str] | None,
    others: str,
    forms: Iterable[str] = (),
    scripts_from: str = "",
    node_styles: str = "",
    trusted_types: str = "",
    wasm: bool = False,
) -> str:
    """The Content-Security-Policy of a page with these inline scripts and styles.

    `styles` are the texts of its <style> elements, None where components compute some;
    `node_styles` are the sources of those that a node adds, each after a space. So are
    `scripts_from` for scripts: only these may run. Prerendered `style=` attributes need
    style-src-attr. `others` are the directives of pictures, media, fonts, requests and frames.
    Forms may send to the page's own site and to the origins `forms`. `trusted_types` is
    NO_HTML_FROM_TEXT, or "". With `wasm` scripts may start programs of WebAssembly.
    """
    allowed_scripts = " 'wasm-unsafe-eval'" if wasm else ""
    allowed_scripts += "".join([f" {head.csp_hash(text)}" for text in scripts])
    if styles is None:
        allowed_styles = " 'unsafe-inline'"
    else:
        hashes = "".join([f" {head.csp_hash(text)}" for text in dict.fromkeys(styles)])
        # Beside a hash a browser ignores 'unsafe-inline': there the node's would shut out all else.
        # Put into one text, not added: what a slot is added to would be escaped.
        allowed_styles = f"{node_styles}{hashes}"
    allowed_forms = " ".join(("'self'", *forms))
    return (
        f"default-src 'none'; script-src 'self'{scripts_from}{allowed_scripts}; "
        f"style-src 'self'{allowed_styles}; style-src-attr 'unsafe-inline'; {others}; {FIXED}"
        f"{trusted_types}; form-action {allowed_forms}"
    )
