"""The segmenter node on ROS: ``node.core`` with topics, services, diagnostics, the master.

The node notices that the ROS master was restarted: the new one does not know it, nobody could
find it any more, and nothing would say so. It ends instead, and ``respawn`` in its launch file
starts it anew.
"""

import logging
from typing import Callable, Mapping, Optional

import rosgraph
import rospy
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, SetBoolResponse

from semseg.classes import label_info_json
from semseg.msg import LabelInfo
from semseg.node.core import NodeCore
from semseg.node.models import Model
from semseg.node.options import CameraOptions
from semseg.node.periodic import Periodic
from semseg.ros import diagnostics
from semseg.ros.camera import ros_camera
from semseg.ros.label_info import label_info_message
from semseg.ros.parameters import private_parameters
from semseg.srv import LoadModel, LoadModelResponse

_log = logging.getLogger(__name__)

MASTER_PERIOD_S = 2.0


class MasterWatch:
    """Asks the master for this node; an unreachable master is waited for.

    Args:
      forgotten: called when a master answers that it does not know the node.
    """

    def __init__(self, forgotten: Callable[[], None]):
        self._forgotten = forgotten
        self._master = rosgraph.Master(rospy.get_name())
        self._parameters = private_parameters()

    def look(self) -> None:
        """Asks once; to be called every ``MASTER_PERIOD_S``."""
        try:
            if not self._is_known():
                self._leave()
        except OSError:
            pass  # No master for now: connections that exist go on without it.

    def _is_known(self):
        try:
            self._master.lookupNode(rospy.get_name())
        except rosgraph.MasterError:
            return False
        return True

    def _leave(self):
        # roslaunch set them on the former master and does not do it again at a respawn.
        if self._parameters and not self._master.hasParam(rospy.get_name()):
            self._master.setParam(rospy.get_name(), self._parameters)
        _log.error("the ROS master was restarted and does not know this node; the node ends")
        self._forgotten()


class SegmenterNode:
    """Segments the newest frame of each camera in turn, see ``NodeCore``.

    Args:
      model: the model that labels.
      cameras: camera name -> options; none stands for the single topic ``image``.
      reduced: the model that labels when ``model`` does not hold ``target_rate_hz``.
      target_rate_hz: labels per second that each camera is to get; 0 asks for no rate.
      load: makes the model that a call of ``~load_model`` names, see ``NodeCore``.

    Raises:
      ConfigError: an option cannot be used.
      GraphError: the two models cannot take turns.
    """

    def __init__(
        self,
        model: Model,
        cameras: Optional[Mapping[str, CameraOptions]] = None,
        *,
        reduced: Optional[Model] = None,
        target_rate_hz: float = 0.0,
        load: Optional[Callable[[str], Model]] = None,
    ):
        self._failed = False
        self._label_info = rospy.Publisher("~label_info", LabelInfo, queue_size=1, latch=True)
        self._label_info_json = rospy.Publisher(
            "~label_info_json", String, queue_size=1, latch=True
        )
        self._ready = rospy.Publisher("~ready", Bool, queue_size=1, latch=True)
        self._core = NodeCore(
            model,
            cameras or {"": CameraOptions()},
            ros_camera,
            announce=self._describe,
            ended=self._end,
            reduced=reduced,
            target_rate_hz=target_rate_hz,
            load=load,
        )
        watched = list(self._core.cameras.values())
        report = diagnostics.Diagnostics(watched, self._core.lineup).publish
        look = MasterWatch(self._end).look
        self._periodic = [
            Periodic("diagnostics", report, diagnostics.PERIOD_S),
            Periodic("master watch", look, MASTER_PERIOD_S),
        ]
        rospy.on_shutdown(self._take_no_more)  # before the topics are closed

    def start(self) -> None:
        """Starts the worker, subscribes what is asked for and says ``~ready``."""
        self._core.start()
        for part in self._periodic:
            part.start()
        self._services = [
            rospy.Service("~enable", SetBool, self._enable),
            rospy.Service("~load_model", LoadModel, self._load_model),
        ]
        self._ready.publish(True)

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Takes no more frames and waits for the worker.

        Returns:
          Whether the worker ended; it does not while an inference takes longer than the time.
        """
        self._take_no_more()
        return self._core.stop(timeout_s)

    @property
    def failed(self) -> bool:
        """Whether the node ended by itself: its worker failed, or the master forgot it."""
        return self._failed

    def _take_no_more(self):
        self._core.take_no_more()
        for part in self._periodic:
            part.stop()

    def _describe(self, model):
        segmenter = model.segmenter
        described = segmenter.classes, model.name, segmenter.digest
        self._label_info.publish(label_info_message(*described))
        self._label_info_json.publish(label_info_json(*described))

    def _enable(self, request):
        return SetBoolResponse(True, self._core.enable(request.data))

    def _load_model(self, request):
        # In a thread of rospy's: the former model labels until the new one has run.
        return LoadModelResponse(*self._core.load_model(request.model))

    def _end(self):
        self._failed = True
        rospy.signal_shutdown("the node failed")
