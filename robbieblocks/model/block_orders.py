"""The order of a block on its page, and the id of its element: of the page's own, or a frame's."""

from __future__ import annotations

from typing import Final

_IN_FRAME: Final = 1 << 32


def order_in_frame(number: int, order: int) -> int:
    """The order on a page of a block that a frame lends it: the page's own orders are below 2^31.

    `number` counts the app's frames from 1, `order` is the block's order in its frame.
    """
    return number * _IN_FRAME + order


def own_order(order: int) -> int:
    """The block_order of a block in its row, be it the page's own or a frame's."""
    return (order + _IN_FRAME // 2) % _IN_FRAME - _IN_FRAME // 2


def frame_number(order: int) -> int:
    """Which of the app's frames a block is from, counted from 1; 0 for the page's own blocks."""
    return (order + _IN_FRAME // 2) // _IN_FRAME


def block_id(order: int) -> str:
    """The id of a block's element: `b3`, and `f1b3` for a block of the app's first frame."""
    number = frame_number(order)
    return f"f{number}b{own_order(order)}" if number else f"b{order}"


def order_of_id(name: str) -> int:
    """The order on its page of the block whose element has this id."""
    frame, _, order = name.partition("b")
    return order_in_frame(int(frame[1:]), int(order)) if frame else int(order)
