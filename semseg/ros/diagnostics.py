"""What the node says of itself once a second: ``/diagnostics`` for people, ``~stats`` for plots."""

import time
from typing import Any, Dict, Mapping, Sequence, Tuple

import rospy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from semseg.msg import FrameCount, Stats, StepTime
from semseg.node.camera import Camera
from semseg.node.health import examine, judge, resident_mib
from semseg.node.lineup import Lineup
from semseg.node.statistics import RECEIVED, SEGMENTED

PERIOD_S = 1.0


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
        health = examine(camera, rates, self._lineup.complaint)
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
        topic=camera.source.topic,
        received_hz=rates[RECEIVED],
        segmented_hz=rates[SEGMENTED],
        counts=[FrameCount(fate, frames) for fate, frames in counts.items()],
        steps=[StepTime(step, medians[step], tails[step]) for step in sorted(medians)],
        memory_mib=resident_mib(),
    )


def _values(health, stats) -> Dict[str, Any]:
    values: Dict[str, Any] = {"topic": health.topic, "publishers": health.num_publishers}
    values.update({count.fate: count.frames for count in stats.counts})
    values["unfit_camera_infos"] = health.unfit_infos
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
