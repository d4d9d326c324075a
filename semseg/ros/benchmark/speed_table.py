"""The node's speed as a table: what was measured, and what it was to be."""

from typing import Dict, List, NamedTuple, Tuple

from semseg.ros.benchmark.speed import CALLBACK, OURS, RATE_HZ, SLOW_S, Case, Speed, measure_speed

FRAME_MS = 1e3 / RATE_HZ
JITTER_MS = 30.0
BOTH = (OURS, CALLBACK)


class Bar(NamedTuple):
    """A demand on a case: what it says and whether it is held."""

    text: str
    is_held: bool


def speed_table(model: str, seconds: float, camera_queue: int) -> Tuple[List[str], bool]:
    """Measures all cases.

    Args:
      model: profile or path of the graph of the first case.
      seconds: how long each method of each case is measured.
      camera_queue: as in ``Case``.

    Returns:
      The table's lines, and whether all demands are held.
    """
    lines = ["%-22s %-9s %9s %8s %8s %8s" % ("images, model", "method", "labels/s", *_HEADS)]
    all_held = True
    for case, demand in (
        (Case((480, 640), model, (OURS,), camera_queue), _fast_bars),
        (Case((720, 1280), "", BOTH, camera_queue), _slow_bars),
        (Case((480, 640), "", BOTH, camera_queue), _never_older_bars),
    ):
        speeds = measure_speed(case, seconds)
        title = "%dx%d, %s" % (case.size + (case.model or "%.0f ms" % (1e3 * SLOW_S),))
        for method, speed in speeds.items():
            lines.append("%-22s %-9s %9.1f %8.1f %8.1f %8.1f" % (title, method, *speed))
        for bar in demand(speeds):
            lines.append("    %s: %s" % (bar.text, "held" if bar.is_held else "MISSED"))
            all_held = all_held and bar.is_held
    return lines, all_held


_HEADS = ("p50 ms", "p95 ms", "p99 ms")


def _fast_bars(speeds: Dict[str, Speed]) -> List[Bar]:
    ours = speeds[OURS]
    return [
        Bar("at least 29 labels/s", ours.labels_hz >= 29),
        Bar("age p95 at most 60 ms", ours.p95_ms <= 60),
    ]


def _slow_bars(speeds: Dict[str, Speed]) -> List[Bar]:
    ours, usual = speeds[OURS], speeds[CALLBACK]
    limit_ms = 1e3 * SLOW_S + FRAME_MS + JITTER_MS
    ratio = usual.p95_ms / ours.p95_ms
    return [
        Bar("age p99 at most %.0f ms" % limit_ms, ours.p99_ms <= limit_ms),
        Bar("age p95 at least 3 times lower than in the callback (%.1f)" % ratio, ratio >= 3),
    ]


def _never_older_bars(speeds: Dict[str, Speed]) -> List[Bar]:
    ours, usual = speeds[OURS], speeds[CALLBACK]
    is_held = all(mine <= theirs for mine, theirs in zip(ours[1:], usual[1:]))
    return [Bar("age never higher than in the callback", is_held)]
