"""What pages and blocks are, as texts of which hashes are made."""

from __future__ import annotations

import zlib

from robbieblocks.model import DEFAULT_LANGUAGES, AssembledBlock, AssembledPage, canonical_json


def page_text(page: AssembledPage) -> str:
    """What a page's own row says."""
    return "\0".join(
        (
            page.key,
            page.app,
            page.route,
            page.path,
            page.layout,
            page.title,
            page.description,
            page.title_fill or "",
            canonical_json(page.metadata),
            # A page without any has the text that it had before there were settings.
            *([page.settings.text] if page.settings.text else []),
            *_language_texts(page),
        )
    )


def _language_texts(page: AssembledPage) -> list[str]:
    """What its app and its group say of a page's language; nothing where they say nothing, as most
    do.
    """
    # Titles and keys are for blocks, which have them in their props.
    group = [
        canonical_json([each.lang, each.route, each.listed, each.default])
        for each in page.translations
    ]
    return group if page.lang == DEFAULT_LANGUAGES.default else [page.lang, *group]


def block_text(block: AssembledBlock) -> str:
    """What a block is, with what was made of the media that it names."""
    return "\0".join(
        (
            str(block.order),
            block.zone,
            block.component,
            block.hydrate,
            "" if block.reset is None else str(block.reset),
            block.props_json,
            "" if block.fill is None else canonical_json(block.fill),
            "" if block.visitor is None else canonical_json(block.visitor),
        )
    )


def stated_text(block: AssembledBlock) -> str:
    """What the block's row says, whatever was made of the media that it names."""
    if not block.stated_json:
        return block_text(block)
    return block_text(block._replace(props_json=block.stated_json, fill=None))


def short_digest(text: str) -> str:
    """A short digest, to tell what differs: fingerprints, not digests, decide what is made."""
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
