"""The segmenter node: the newest frame of each camera, one worker, nothing computed unheard."""

import logging
import re
import threading
from typing import Any, Sequence

import rospy
from std_msgs.msg import Bool

from semseg.errors import ConfigError, ImageError, SemsegError
from semseg.msg import LabelInfo
from semseg.ros.camera import Camera
from semseg.ros.diagnostics import Diagnostics
from semseg.ros.label_info import label_info_message
from semseg.ros.rosout import Throttle
from semseg.ros.statistics import FAILED, MALFORMED
from semseg.ros.subscriptions import RAW
from semseg.runtime.mailbox import Mailbox

_log = logging.getLogger(__name__)

MAX_COMPLAINT = 300
"""Length of the longest warning about a message, in characters."""


class SegmenterNode:
    """Segments the newest frame of each camera in turn.

    rospy's threads only swap the newest frame into a mailbox; one worker decodes, segments and
    publishes. So, when an inference starts, no newer frame of that camera has been received.

    Args:
      segmenter: has ``.classes`` (ClassTable), ``.digest``, ``.engine`` and
        ``.segment(image, probabilities=False) -> Segmentation``; used by one thread only.
      model: name of the model for ``~label_info``.
      cameras: names of the cameras; none stands for the single topic ``image``.
      transport: ``raw`` or ``compressed``.
      overlay_alpha: weight of the colours in the overlay, 0..1.

    Raises:
      ConfigError: the transport is unknown, or a camera's name cannot be a topic's.
    """

    def __init__(
        self,
        segmenter: Any,
        model: str,
        cameras: Sequence[str] = (),
        transport: str = RAW,
        overlay_alpha: float = 0.5,
    ):
        self._segmenter = segmenter
        self._mailbox = Mailbox()
        self._throttle = Throttle()
        self._failed = False
        self._worker = threading.Thread(target=self._work, name="worker", daemon=True)
        self._label_info = rospy.Publisher("~label_info", LabelInfo, queue_size=1, latch=True)
        self._label_info.publish(label_info_message(segmenter.classes, model, segmenter.digest))
        self._ready = rospy.Publisher("~ready", Bool, queue_size=1, latch=True)
        self._cameras = {
            name: Camera(name, transport, self._mailbox.put, segmenter.classes, overlay_alpha)
            for name in checked_names(cameras) or ("",)
        }
        self._diagnostics = Diagnostics(
            list(self._cameras.values()),
            {"model": model, "digest": segmenter.digest, "engine": segmenter.engine},
        )

    def start(self) -> None:
        """Starts the worker and says ``~ready``."""
        for camera in self._cameras.values():
            _log.info("segmenting %s", camera.images.topic)
        self._worker.start()
        self._diagnostics.start()
        self._ready.publish(True)

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Takes no more frames and waits for the worker.

        Returns:
          Whether the worker ended; it does not while an inference takes longer than the time.
        """
        self._diagnostics.stop()
        self._mailbox.close()
        self._worker.join(timeout_s)
        return not self._worker.is_alive()

    @property
    def failed(self) -> bool:
        """Whether an error of the program itself ended the worker."""
        return self._failed

    def _work(self):
        try:
            while not self._mailbox.closed:
                item = self._mailbox.take()
                if item is not None:
                    self._serve(*item)
        except Exception:
            # Without its worker the node would look alive and never answer again.
            _log.exception("the worker failed; the node ends")
            self._failed = True
            rospy.signal_shutdown("the worker failed")

    def _serve(self, name, frame):
        camera = self._cameras[name]
        try:
            camera.segment(frame, self._segmenter)
        except SemsegError as error:
            camera.statistics.count(MALFORMED if isinstance(error, ImageError) else FAILED)
            # The text quotes the message's own fields, which may be anything of any length.
            complaint = " ".join(str(error).split())[:MAX_COMPLAINT]
            if self._throttle.passes(name, complaint):
                _log.warning("%s: %s", camera.images.topic, complaint)


def checked_names(cameras: Sequence[str]) -> Sequence[str]:
    """Returns the cameras' names.

    Raises:
      ConfigError: one of them is no relative ROS name, or occurs twice.
    """
    for name in cameras:
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_/]*", str(name)):
            raise ConfigError("parameter ~cameras: '%s' cannot be part of a topic's name" % name)
    repeated = sorted({name for name in cameras if list(cameras).count(name) > 1})
    if repeated:
        raise ConfigError("parameter ~cameras: '%s' occurs more than once" % repeated[0])
    return cameras
