"""Planning: what happens to each page, found by comparing fingerprints with the live manifest."""

from robbieblocks.pipeline.planning.brake import check_approvals, held_reason, is_held
from robbieblocks.pipeline.planning.causes import causes_of_problems
from robbieblocks.pipeline.planning.making import TOKENS_FILE, make_plan
from robbieblocks.pipeline.planning.pins import is_pinned, pin_warning, pinned_hash
from robbieblocks.pipeline.planning.plan import (
    Cause,
    PageChange,
    PageInputs,
    Plan,
    PlannedPage,
    RunPlan,
)

__all__ = [
    "TOKENS_FILE",
    "Cause",
    "PageChange",
    "PageInputs",
    "Plan",
    "PlannedPage",
    "RunPlan",
    "causes_of_problems",
    "check_approvals",
    "held_reason",
    "is_held",
    "is_pinned",
    "make_plan",
    "pin_warning",
    "pinned_hash",
]
