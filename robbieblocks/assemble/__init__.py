"""Assembling: makes rows into pages that are ready to render. Pure: values in, values out."""

from robbieblocks.assemble.assembly import (
    Assembly,
    assemble,
    boundaries_of,
    is_due,
    next_boundary,
    page_on_node,
)
from robbieblocks.assemble.collections.checked_rows import CheckedRows
from robbieblocks.assemble.collections.making import MadePages
from robbieblocks.assemble.forms.answers import Answers, AnswerWords, checked_answers
from robbieblocks.assemble.forms.fields import FormField
from robbieblocks.assemble.forms.form_props import Form, stated_form, thanking_pages
from robbieblocks.assemble.homes import NodeIndexes, index_of
from robbieblocks.assemble.pages import PreparedPage
from robbieblocks.assemble.props.embeds import refused_embeds
from robbieblocks.assemble.props.markdown_places import FORM, MARKDOWN, MEDIA
from robbieblocks.assemble.props.preparing import props_problems, schema_problems
from robbieblocks.assemble.props.schema import References, Schema, normal_form
from robbieblocks.assemble.redirects.reading import has_redirects
from robbieblocks.assemble.redirects.resolving import NO_REDIRECTS, NodeRedirects, redirects_of
from robbieblocks.assemble.relations.frames import frame_setting
from robbieblocks.assemble.relations.other_apps import Elsewhere, may_be_listed
from robbieblocks.assemble.relations.parts import whole_key
from robbieblocks.assemble.relations.relating import Relations
from robbieblocks.assemble.routes import check_routes, release_path, route_problem
from robbieblocks.assemble.taken_places import TakenPlaces
from robbieblocks.assemble.values import ValueProblem

__all__ = [
    "FORM",
    "MARKDOWN",
    "MEDIA",
    "NO_REDIRECTS",
    "AnswerWords",
    "Answers",
    "Assembly",
    "CheckedRows",
    "Elsewhere",
    "Form",
    "FormField",
    "MadePages",
    "NodeIndexes",
    "NodeRedirects",
    "PreparedPage",
    "References",
    "Relations",
    "Schema",
    "TakenPlaces",
    "ValueProblem",
    "assemble",
    "boundaries_of",
    "check_routes",
    "checked_answers",
    "frame_setting",
    "has_redirects",
    "index_of",
    "is_due",
    "may_be_listed",
    "next_boundary",
    "normal_form",
    "page_on_node",
    "props_problems",
    "redirects_of",
    "refused_embeds",
    "release_path",
    "route_problem",
    "schema_problems",
    "stated_form",
    "thanking_pages",
    "whole_key",
]
