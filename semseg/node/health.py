"""What is wrong with a camera, told from what its messages and counters show."""

import os
import time
from typing import Mapping, NamedTuple, Optional, Tuple

from semseg.node.camera import Camera
from semseg.node.statistics import FAILED, MALFORMED, UNPAIRED
from semseg.node.stream import is_believable

OK, WARN = 0, 1
"""Levels, numbered as in ROS's ``DiagnosticStatus``."""
SILENCE_S = 5.0
FROZEN_FRAMES = 10
"""So many images in a row with equal data are no coincidence."""


class Health(NamedTuple):
    """What a camera's diagnosis rests on.

    Attributes:
      topic: its image topic.
      enabled: whether its frames may be segmented.
      is_open: whether it is subscribed.
      num_publishers: number of publishers that are connected.
      hint: what may be wrong if there is none.
      silence_s: seconds since its last image; None if there was none.
      num_identical: images in a row that equal the newest.
      stamp_age_s: how far the newest stamp lay behind ROS time; None if it has none.
      num_rejected: frames of the last second that could not be segmented.
      num_unpaired: frames of the last second that found no second image.
      second_topic: topic of the second images; empty without.
      info_complaint: why labels come without camera info; empty if they have it.
      unfit_infos: number of frames whose camera info was of another size.
      model_complaint: why another model than the wished one labels; empty if it does.
    """

    topic: str
    enabled: bool = True
    is_open: bool = True
    num_publishers: int = 1
    hint: str = ""
    silence_s: Optional[float] = 0.0
    num_identical: int = 0
    stamp_age_s: Optional[float] = None
    num_rejected: int = 0
    num_unpaired: int = 0
    second_topic: str = ""
    info_complaint: str = ""
    unfit_infos: int = 0
    model_complaint: str = ""


def examine(camera: Camera, rates_hz: Mapping[str, float], model_complaint: str = "") -> Health:
    """Examines a camera.

    Args:
      camera: the camera.
      rates_hz: growth of its counters, per second.
      model_complaint: see ``Health``.
    """
    source, stream = camera.source, camera.stream
    num_publishers = source.num_publishers
    arrival_s = stream.last_arrival_s
    return Health(
        topic=source.topic,
        enabled=camera.enabled,
        is_open=source.is_open,
        num_publishers=num_publishers,
        hint=source.hint() if source.is_open and not num_publishers else "",
        silence_s=None if arrival_s is None else time.monotonic() - arrival_s,
        num_identical=stream.num_identical,
        stamp_age_s=stream.stamp_age_s,
        num_rejected=int(round(rates_hz[MALFORMED] + rates_hz[FAILED])),
        num_unpaired=int(round(rates_hz[UNPAIRED])),
        second_topic=source.second_topic,
        info_complaint=source.info_complaint,
        unfit_infos=source.unfit_infos,
        model_complaint=model_complaint,
    )


def judge(health: Health) -> Tuple[int, str]:
    """Returns (level, message) for a camera: its gravest fault, or that there is none."""
    topic = health.topic
    if not health.is_open:
        reason = "nobody listens" if health.enabled else "disabled by ~enable"
        return OK, "%s: %s is not subscribed" % (reason, topic)
    fault = _connection_fault(health) or _image_fault(health)
    fault = fault or health.info_complaint or health.model_complaint
    if fault:
        return WARN, fault
    return OK, "receiving %s" % topic


def resident_mib() -> float:
    """Returns the resident memory of this process in MiB (proc(5): ``statm``, field 2)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _connection_fault(health):
    if not health.num_publishers:
        because = "; " + health.hint if health.hint else ""
        return "nobody publishes %s%s" % (health.topic, because)
    if health.silence_s is None:
        return "no image yet on %s" % health.topic
    if health.silence_s > SILENCE_S:
        return "no image on %s for %.0f s" % (health.topic, health.silence_s)
    return ""


def _image_fault(health):
    if health.num_rejected:
        return "%d images on %s could not be segmented" % (health.num_rejected, health.topic)
    if health.num_unpaired:
        return "%d images on %s found none on %s with their stamp (~sync_slop)" % (
            health.num_unpaired,
            health.topic,
            health.second_topic,
        )
    if health.num_identical >= FROZEN_FRAMES:
        return "the last %d images on %s are identical: is the camera frozen?" % (
            health.num_identical + 1,
            health.topic,
        )
    if health.stamp_age_s is not None and not is_believable(health.stamp_age_s):
        return (
            "stamps on %s are %.1f s %s this clock: of another machine, or a bag without --clock?"
            % (
                health.topic,
                abs(health.stamp_age_s),
                "behind" if health.stamp_age_s > 0 else "ahead of",
            )
        )
    return ""
