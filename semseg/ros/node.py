"""The segmenter node: cameras, one worker, and what the node says of itself."""

import logging
from typing import Any, Mapping, Optional

import rospy
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, SetBoolResponse

from semseg.msg import LabelInfo
from semseg.ros.camera import Camera
from semseg.ros.demand import Demand
from semseg.ros.diagnostics import Diagnostics
from semseg.ros.label_info import label_info_json, label_info_message
from semseg.ros.master_watch import MasterWatch
from semseg.ros.options import CameraOptions
from semseg.ros.worker import Worker
from semseg.runtime.mailbox import Mailbox

_log = logging.getLogger(__name__)


class SegmenterNode:
    """Segments the newest frame of each camera in turn.

    rospy's threads only swap the newest frame into a mailbox; one worker decodes, segments and
    publishes. A camera is subscribed only while someone listens to its labels.

    Args:
      segmenter: has ``.classes`` (ClassTable), ``.digest``, ``.engine``, ``.precision``,
        ``.segment(image, probabilities=False) -> Segmentation`` and, for outputs of the
        network's size, ``.fit(image_size)``; used by one thread only.
      model: name of the model for ``~label_info``.
      cameras: camera name -> options; none stands for the single topic ``image``.

    Raises:
      ConfigError: an option cannot be used.
    """

    def __init__(
        self, segmenter: Any, model: str, cameras: Optional[Mapping[str, CameraOptions]] = None
    ):
        cameras = cameras or {"": CameraOptions()}
        self._failed = False
        self._label_info = rospy.Publisher("~label_info", LabelInfo, queue_size=1, latch=True)
        self._label_info_json = rospy.Publisher(
            "~label_info_json", String, queue_size=1, latch=True
        )
        self._ready = rospy.Publisher("~ready", Bool, queue_size=1, latch=True)
        self._demand = Demand(self._follow_demand)
        mailbox = Mailbox()
        rospy.on_shutdown(mailbox.close)  # before the topics are closed
        self._cameras = {
            name: Camera(name, options, segmenter.classes, mailbox.put, self._demand.changed)
            for name, options in cameras.items()
        }
        self._worker = Worker(segmenter, mailbox, self._cameras, self._end)
        facts = {name: getattr(segmenter, name) for name in ("digest", "engine", "precision")}
        self._diagnostics = Diagnostics(list(self._cameras.values()), dict(facts, model=model))
        self._master_watch = MasterWatch(self._end)
        self._describe(label_info_message(segmenter.classes, model, segmenter.digest))

    def start(self) -> None:
        """Starts the worker, subscribes what is asked for and says ``~ready``."""
        for camera in self._cameras.values():
            _log.info("segmenting %s", camera.images.topic)
        self._worker.start()
        self._demand.start()
        self._diagnostics.start()
        self._master_watch.start()
        self._enable_service = rospy.Service("~enable", SetBool, self._enable)
        self._ready.publish(True)

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Takes no more frames and waits for the worker.

        Returns:
          Whether the worker ended; it does not while an inference takes longer than the time.
        """
        for part in (self._master_watch, self._diagnostics, self._demand):
            part.stop()
        return self._worker.stop(timeout_s)

    @property
    def failed(self) -> bool:
        """Whether the node ended by itself: its worker failed, or the master forgot it."""
        return self._failed

    def _describe(self, info):
        self._label_info.publish(info)
        self._label_info_json.publish(label_info_json(info))

    def _follow_demand(self):
        for camera in self._cameras.values():
            camera.follow_demand()

    def _enable(self, request):
        for camera in self._cameras.values():
            camera.enabled = request.data
        self._demand.changed()
        return SetBoolResponse(True, "enabled" if request.data else "disabled")

    def _end(self):
        self._failed = True
        rospy.signal_shutdown("the node failed")
