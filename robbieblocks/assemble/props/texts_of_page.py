"""What the texts of one page have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from robbieblocks.assemble.forms.form_props import PageForms
from robbieblocks.assemble.markdown.anchors import PageAnchors
from robbieblocks.assemble.props.embeds import Embed
from robbieblocks.assemble.props.media_props import PageMedia
from robbieblocks.assemble.props.page_links import PageLinks
from robbieblocks.assemble.props.preparing import Budget


@dataclass(slots=True)
class TextsOfPage:
    """What blocks of a page name: media, pages, forms, frames; its ids, and the work left."""

    media: PageMedia
    links: PageLinks
    forms: PageForms
    anchors: PageAnchors = field(default_factory=PageAnchors)
    budget: Budget = field(default_factory=Budget)
    embeds: list[Embed] = field(default_factory=list[Embed])

    @property
    def name_others(self) -> bool:
        """Whether something that is in another row was found by its name."""
        return bool(self.media.found or self.links.found)
