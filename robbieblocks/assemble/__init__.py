"""Assembling: from rows to pages that are ready to render. Pure: values in, values out."""

from robbieblocks.assemble.assembly import Assembly, assemble, due, next_boundary, place
from robbieblocks.assemble.pages import PagePlan
from robbieblocks.assemble.routes import check_routes, release_path, route_fault

__all__ = [
    "Assembly",
    "PagePlan",
    "assemble",
    "check_routes",
    "due",
    "next_boundary",
    "place",
    "release_path",
    "route_fault",
]
