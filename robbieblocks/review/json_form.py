"""A review as JSON: the stable form that docs/preview-schema.json describes."""

from __future__ import annotations

from robbieblocks.review.pictures import SHOWN_FROM, SIDES, Pictured, Pictures
from robbieblocks.review.values import FieldChange, PageEffect, Review, RowChange


def as_object(review: Review) -> dict[str, object]:
    """The review as an object; equal reviews give equal objects."""
    base = review.base
    return {
        "version": 1,
        "changed": review.changed,
        "base": {
            "kind": base.kind,
            "name": base.name,
            "hash": base.hash,
            "commit": base.commit or None,
            "date": base.date or None,
        },
        "after": review.after,
        "hash": review.hash,
        "counts": {effect.replace(" ", "_"): count for effect, count in review.counts.items()},
        "content": list(map(row_object, review.rows)),
        "runs": [
            {
                "node": run.node,
                "app": run.app,
                "hash": run.hash,
                "pages_before": run.pages_before,
                "brake": run.brake or None,
            }
            for run in review.runs
        ],
        "pages": list(map(_page, review.pages)),
        "findings": [
            {
                "rule": each.rule,
                "level": each.problem.severity,
                "nodes": list(each.nodes),
                "problem": each.problem.as_json(),
            }
            for each in review.findings
        ],
        "solved": review.solved,
        "notes": list(review.notes),
        "pictures": _pictures(review.pictures) if review.pictures else None,
    }


def _pictures(pictures: Pictures) -> dict[str, object]:
    return {
        "shown_from_pixels": SHOWN_FROM,
        "taken": list(map(_pictured, pictures.taken)),
        "left_out": list(map(_named, pictures.left_out)),
    }


def _pictured(each: Pictured) -> dict[str, object]:
    return {
        **_named(each.page),
        "also": list(map(_named, each.also)),
        "theme": each.theme,
        "screen": each.screen,
        "width": each.width,
        **{side: each.pictures[side].file if side in each.pictures else None for side in SIDES},
        "pixels": each.pixels,
        "percent": None if each.percent is None else round(each.percent, 4),
        "shown": each.shown,
        "height": each.height or None,
        "notes": list(each.notes),
        "problems": list(each.problems),
    }


def _named(page: PageEffect) -> dict[str, object]:
    return {"node": page.node, "app": page.app, "key": page.key, "route": page.route}


def row_object(row: RowChange) -> dict[str, object]:
    """A row that differs, with each field that does."""
    return {
        "entity": row.entity,
        "key": row.key,
        "change": row.change,
        "fields": list(map(_field, row.fields)),
    }


def _field(change: FieldChange) -> dict[str, object]:
    found: dict[str, object] = {
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "kind": change.kind,
    }
    if change.block is not None:
        found |= {"block": change.block, "component": change.component}
    return found


def _page(page: PageEffect) -> dict[str, object]:
    return {
        "node": page.node,
        "app": page.app,
        "key": page.key,
        "route": page.route,
        "effect": page.effect,
        "causes": [cause.as_json() for cause in page.causes],
        "problems": [problem.as_json() for problem in page.problems],
        "html": list(page.html),
        "scripts": list(page.scripts),
        "styles": list(page.styles),
    }
