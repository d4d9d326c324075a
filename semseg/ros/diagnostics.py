"""What the node says of itself once a second: ``/diagnostics`` for people, ``~stats`` for plots.

Of a topic without a connected publisher it says why, as far as other topics tell.
"""

import difflib
import os
import time
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

import rospy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from semseg.msg import FrameCount, Stats, StepTime
from semseg.node.lineup import Lineup
from semseg.node.options import COMPRESSED, RAW
from semseg.node.statistics import FAILED, MALFORMED, RECEIVED, SEGMENTED, UNPAIRED
from semseg.node.stream import is_believable
from semseg.ros.camera import Camera

IMAGE, COMPRESSED_IMAGE = "sensor_msgs/Image", "sensor_msgs/CompressedImage"
_TRANSPORT_OF = {IMAGE: RAW, COMPRESSED_IMAGE: COMPRESSED}
_SUFFIX = "/" + COMPRESSED
MAX_NAMED = 3


def hint(topic: str, kind: str, published: Sequence[Tuple[str, str]]) -> str:
    """Returns what may be wrong, for a topic without a connected publisher; empty: no idea.

    Args:
      topic: the resolved topic that is subscribed.
      kind: the type that is expected there, such as ``sensor_msgs/Image``.
      published: (topic, type) of all that is published, as the master knows it.
    """
    found = dict(published).get(topic)
    if found == kind:
        return "its publisher does not connect: can it be reached (ROS_IP, ROS_HOSTNAME)?"
    if found is not None:
        return "%s is published there, expected %s%s" % (found, kind, _transport_hint(found))
    twin = topic[: -len(_SUFFIX)] if topic.endswith(_SUFFIX) else topic + _SUFFIX
    if twin in dict(published):
        return "%s is published%s" % (twin, _transport_hint(dict(published)[twin]))
    return _similar(topic, [name for name, published_kind in published if published_kind == kind])


def _transport_hint(kind):
    return "; set ~transport to %s?" % _TRANSPORT_OF[kind] if kind in _TRANSPORT_OF else ""


def _similar(topic, candidates):
    if not candidates:
        return "no image of this type is published at all"
    near = difflib.get_close_matches(topic, candidates, n=MAX_NAMED, cutoff=0.0)
    return "remap image to one of: %s?" % ", ".join(near)


PERIOD_S = 1.0
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
    model_complaint: str = ""


class Diagnostics:
    """Publishes one status and one ``Stats`` per camera.

    Args:
      cameras: the node's cameras.
      lineup: the models; its facts are shown with every camera.
    """

    def __init__(self, cameras: Sequence[Camera], lineup: Lineup):
        self._cameras = cameras
        self._lineup = lineup
        self._before: Dict[str, Tuple[float, Dict[str, int]]] = {}
        self._publisher = rospy.Publisher("/diagnostics", DiagnosticArray, queue_size=10)
        self._stats = {
            camera.name: rospy.Publisher(
                "~%s/stats" % camera.name if camera.name else "~stats", Stats, queue_size=10
            )
            for camera in cameras
        }

    def publish(self) -> None:
        """Publishes the state of now; to be called every ``PERIOD_S``."""
        header = Header(stamp=rospy.Time.now())
        statuses = [self._report(camera) for camera in self._cameras]
        self._publisher.publish(DiagnosticArray(header=header, status=statuses))

    def _report(self, camera):
        """Publishes a camera's stats; returns its status."""
        counts = camera.statistics.counts
        rates = self._rates_hz(camera.name, counts)
        stats = stats_message(camera, counts, rates)
        self._stats[camera.name].publish(stats)
        health = camera_health(camera, rates)._replace(model_complaint=self._lineup.complaint)
        level, message = judge(health)
        return DiagnosticStatus(
            level=level,
            name=status_name(camera.name),
            message=message,
            hardware_id=rospy.get_name(),
            values=[
                KeyValue(key, str(value))
                for key, value in dict(self._lineup.facts, **_values(health, stats)).items()
            ],
        )

    def _rates_hz(self, name, counts):
        """Returns each counter's growth per second since the last call."""
        now = time.monotonic()
        then, before = self._before.get(name, (now - PERIOD_S, counts))
        self._before[name] = now, counts
        return {fate: (counts[fate] - before[fate]) / (now - then) for fate in counts}


def status_name(camera: str) -> str:
    """Returns the name of a camera's diagnostic status, such as ``/segmenter: front``."""
    return "%s: %s" % (rospy.get_name(), camera or "image")


def camera_health(camera: Camera, rates: Mapping[str, float]) -> Health:
    """Examines a camera; asks the master if nobody's images reach it.

    Args:
      camera: the camera.
      rates: growth of its counters, per second.
    """
    images, stream = camera.images, camera.stream
    unconnected = images.is_open and not images.num_publishers
    arrival_s = stream.last_arrival_s
    return Health(
        topic=images.topic,
        enabled=camera.enabled,
        is_open=images.is_open,
        num_publishers=images.num_publishers,
        hint=hint(images.topic, images.kind._type, _published()) if unconnected else "",
        silence_s=None if arrival_s is None else time.monotonic() - arrival_s,
        num_identical=stream.num_identical,
        stamp_age_s=stream.stamp_age_s,
        num_rejected=int(round((rates[MALFORMED] + rates[FAILED]) * PERIOD_S)),
        num_unpaired=int(round(rates[UNPAIRED] * PERIOD_S)),
        second_topic=images.second_topic,
    )


def judge(health: Health) -> Tuple[int, str]:
    """Returns (level, message) for a camera: its gravest fault, or that there is none."""
    topic = health.topic
    if not health.is_open:
        reason = "nobody listens" if health.enabled else "disabled by ~enable"
        return DiagnosticStatus.OK, "%s: %s is not subscribed" % (reason, topic)
    fault = _connection_fault(health) or _image_fault(health) or health.model_complaint
    if fault:
        return DiagnosticStatus.WARN, fault
    return DiagnosticStatus.OK, "receiving %s" % topic


def stats_message(camera: Camera, counts: Mapping[str, int], rates: Mapping[str, float]) -> Stats:
    """Sums up a camera's counters and durations.

    Args:
      camera: the camera.
      counts: its counters.
      rates: growth of the counters, per second.
    """
    medians, tails = (camera.statistics.percentiles_ms(percentile) for percentile in (50, 95))
    return Stats(
        header=Header(stamp=rospy.Time.now(), frame_id=camera.stream.frame_id),
        topic=camera.images.topic,
        received_hz=rates[RECEIVED],
        segmented_hz=rates[SEGMENTED],
        counts=[FrameCount(fate, frames) for fate, frames in counts.items()],
        steps=[StepTime(step, medians[step], tails[step]) for step in sorted(medians)],
        memory_mib=resident_mib(),
    )


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


def _values(health, stats) -> Dict[str, Any]:
    values: Dict[str, Any] = {"topic": health.topic, "publishers": health.num_publishers}
    values.update({count.fate: count.frames for count in stats.counts})
    values["received_hz"] = "%.1f" % stats.received_hz
    values["rate_hz"] = "%.1f" % stats.segmented_hz
    if health.silence_s is not None:
        values["seconds_without_image"] = "%.1f" % health.silence_s
        values["identical_images"] = health.num_identical
    if health.stamp_age_s is not None:
        values["stamp_age_s"] = "%.3f" % health.stamp_age_s
    for step in stats.steps:
        values[step.step + "_p50_ms"] = "%.1f" % step.p50_ms
        values[step.step + "_p95_ms"] = "%.1f" % step.p95_ms
    values["memory_mib"] = "%.0f" % stats.memory_mib
    return values


def _published():
    """Returns (topic, type) of all that others publish; nothing while the master is away."""
    own = rospy.get_name() + "/"
    try:
        published = rospy.get_published_topics()
    except (OSError, rospy.ROSException):
        return []
    return [(topic, kind) for topic, kind in published if not topic.startswith(own)]
