"""Whether this machine can run the longest sequence as the export must: with eager attention.

The graph is made of plain operators, so that each layer holds its table of scores whole, which
fused kernels never do.
"""

import math
import os
from pathlib import Path
from typing import Any

from bicross.errors import UsageError

FLOAT_BYTES = 4
# Scores, their mask added, and probabilities.
TABLES = 3
MEMORY = Path("/proc/meminfo")


def require_attention_memory(
    who: str, config: dict[str, Any], max_tokens: int, free_bytes: int | None
) -> None:
    """For a transformer of `config` with one sequence of `max_tokens`.

    Raises `UsageError`, saying how long a sequence may be. Passes where nothing is known of the
    model's heads or of the machine's memory.
    """
    heads = config.get("num_attention_heads") or config.get("num_heads") or config.get("n_heads")
    if not isinstance(heads, int) or heads < 1 or free_bytes is None:
        return
    needed = TABLES * heads * max_tokens**2 * FLOAT_BYTES
    if needed <= free_bytes:
        return
    fitting = math.isqrt(free_bytes // (TABLES * heads * FLOAT_BYTES))
    raise UsageError(
        f"{who}: attention over its longest sequence of {max_tokens} tokens takes about "
        f"{needed / 1e9:.0f} GB, and {free_bytes / 1e9:.0f} GB are free; give a shorter one with "
        f"--max-tokens, here at most {fitting}"
    )


def free_memory_bytes() -> int | None:
    """What a process may still take, page cache included; None where the system does not say."""
    if MEMORY.is_file():
        rows = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines() if ":" in line)
        if "MemAvailable" in rows:
            return int(rows["MemAvailable"].split()[0]) << 10
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
