"""The machine that measures: what it is, how busy it is, how fast it is at the moment."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

_ROUNDS: Final = 5


def describe() -> dict[str, Any]:
    """What a figure must be read with."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def pace() -> float:
    """Milliseconds of a fixed piece of Python, hashing and JSON: the machine's speed right now.

    It grows with what else the machine does, as everything measured beside it does.
    """
    return median(_round() for _ in range(_ROUNDS))


def _round() -> float:
    began = time.perf_counter()
    rows = [{"title": str(number), "items": [number] * 8} for number in range(2_000)]
    text = json.dumps(rows)
    digest = hashlib.sha256()
    for _ in range(40):
        digest.update(text.encode())
    if json.loads(text)[7]["title"] != "7":
        raise AssertionError("JSON comes back as it went")
    return (time.perf_counter() - began) * 1000


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
