"""Planning: what happens to each page, found by comparing fingerprints with the live manifest."""

from robbieblocks.pipeline.planning.causes import causes_of_problems
from robbieblocks.pipeline.planning.holds import (
    broken_glass_warning,
    freeze_of,
    freeze_warning,
    held_reason,
    hold_warnings,
    is_kept_back,
    pin_of,
    pin_warning,
    with_approvals,
)
from robbieblocks.pipeline.planning.live_files import TOKENS_FILE
from robbieblocks.pipeline.planning.making import make_plan
from robbieblocks.pipeline.planning.plan import (
    Cause,
    PageChange,
    PageInputs,
    Plan,
    PlannedPage,
    PlannedSheet,
    RunPlan,
    joint_hash,
)
from robbieblocks.pipeline.planning.redirecting import holding_back

__all__ = [
    "TOKENS_FILE",
    "Cause",
    "PageChange",
    "PageInputs",
    "Plan",
    "PlannedPage",
    "PlannedSheet",
    "RunPlan",
    "broken_glass_warning",
    "causes_of_problems",
    "freeze_of",
    "freeze_warning",
    "held_reason",
    "hold_warnings",
    "holding_back",
    "is_kept_back",
    "joint_hash",
    "make_plan",
    "pin_of",
    "pin_warning",
    "with_approvals",
]
