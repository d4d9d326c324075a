"""Writes the rows of a benchmark as a table and as JSON."""

import json
import os
from typing import List, Mapping, Optional, Sequence

from semseg.runtime.benchmark import Entrant, Row, device

_TITLES = (
    "model",
    "engine",
    "precision",
    "size",
    "median ms",
    "p95 ms",
    "fps",
    "load s",
    "first ms",
    "MiB",
    "peak",
    "Mparam",
    "GMAC",
    "equal %",
)


def table(rows: Sequence[Row], threads: Optional[int] = None) -> List[str]:
    """Returns the lines of a table, under one that states the machine."""
    cells = [_TITLES] + [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [
        "%(processor)s, %(instructions)s, %(cores)d cores, Python %(python)s, load %(load).1f"
        % device(),
        "batch 1, threads: %s; load s: from the process's start to the first labels"
        % (threads or "the engine's own"),
    ]
    for line in cells:
        texts = [cell.ljust(width) for cell, width in zip(line[:4], widths)]
        figures = [cell.rjust(width) for cell, width in zip(line[4:], widths[4:])]
        lines.append("  ".join(texts + figures))
    return lines


def write_report(
    path: str, rows: Sequence[Row], failures: Mapping[Entrant, str], **conditions
) -> None:
    """Writes rows, failures and conditions as JSON."""
    record = {
        "device": device(),
        "conditions": conditions,
        "rows": [dict(row._asdict(), fps=row.fps) for row in rows],
        "failures": {str(entrant): reason for entrant, reason in failures.items()},
    }
    with open(path + ".part", "w") as file:
        json.dump(record, file, indent=2)
    os.replace(path + ".part", path)


def _cells(row):
    return (
        os.path.basename(row.model),
        row.engine,
        row.precision,
        "%dx%d" % tuple(row.size),
        "%.1f" % row.median_ms,
        "%.1f" % row.p95_ms,
        "%.1f" % row.fps,
        "%.2f" % row.load_s,
        "%.0f" % row.first_ms,
        "%.0f" % row.resident_mib,
        "%.0f" % row.peak_mib,
        "%.2f" % (row.parameters / 1e6),
        "%.2f" % row.gmacs,
        "-" if row.agreement is None else "%.2f" % (100 * row.agreement),
    )
