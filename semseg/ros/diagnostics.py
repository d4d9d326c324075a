"""The node's state on ``/diagnostics``, once a second."""

import threading
import time
from typing import Dict, Mapping, Sequence, Tuple

import rospy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from semseg.ros.camera import Camera
from semseg.ros.statistics import SEGMENTED

PERIOD_S = 1.0
SILENCE_S = 5.0


class Diagnostics:
    """Publishes one status per camera.

    Args:
      cameras: the node's cameras, subscribed.
      model: facts of the model, shown with every camera.
    """

    def __init__(self, cameras: Sequence[Camera], model: Mapping[str, str]):
        self._cameras = cameras
        self._model = model
        self._segmented: Dict[str, Tuple[float, int]] = {}
        self._ended = threading.Event()
        self._publisher = rospy.Publisher("/diagnostics", DiagnosticArray, queue_size=10)
        # Not a rospy.Timer: a looped bag sets the clock back, and that ends those.
        self._thread = threading.Thread(target=self._run, name="diagnostics", daemon=True)

    def start(self) -> None:
        """Starts publishing."""
        self._thread.start()

    def stop(self) -> None:
        """Ends publishing."""
        self._ended.set()

    def _run(self):
        while not self._ended.wait(PERIOD_S):
            statuses = [self._status(camera) for camera in self._cameras]
            header = Header(stamp=rospy.Time.now())
            self._publisher.publish(DiagnosticArray(header=header, status=statuses))

    def _status(self, camera):
        topic, publishers = camera.images.topic, camera.images.num_publishers
        silence = None if camera.last_arrival is None else time.monotonic() - camera.last_arrival
        level, message = judge(topic, publishers, silence)
        values = dict(self._model, topic=topic, publishers=publishers)
        values.update(camera.statistics.counts, rate_hz="%.1f" % self._rate_hz(camera))
        for percentile in (50, 95):
            for step, duration in camera.statistics.percentiles_ms(percentile).items():
                values["%s_p%d_ms" % (step, percentile)] = "%.1f" % duration
        return DiagnosticStatus(
            level=level,
            name=status_name(camera.name),
            message=message,
            hardware_id=rospy.get_name(),
            values=[KeyValue(key, str(value)) for key, value in values.items()],
        )

    def _rate_hz(self, camera):
        now, segmented = time.monotonic(), camera.statistics.counts[SEGMENTED]
        then, before = self._segmented.get(camera.name, (now - PERIOD_S, segmented))
        self._segmented[camera.name] = now, segmented
        return (segmented - before) / (now - then)


def status_name(camera: str) -> str:
    """Returns the name of a camera's diagnostic status, such as ``/segmenter: front``."""
    return "%s: %s" % (rospy.get_name(), camera or "image")


def judge(topic, num_publishers, silence_s):
    """Returns (level, message) for a camera.

    Args:
      topic: its image topic.
      num_publishers: number of publishers that are connected.
      silence_s: seconds since its last image; None if there was none.
    """
    if num_publishers == 0:
        return DiagnosticStatus.WARN, "nobody publishes %s" % topic
    if silence_s is None:
        return DiagnosticStatus.WARN, "no image yet on %s" % topic
    if silence_s > SILENCE_S:
        return DiagnosticStatus.WARN, "no image on %s for %.0f s" % (topic, silence_s)
    return DiagnosticStatus.OK, "receiving %s" % topic
