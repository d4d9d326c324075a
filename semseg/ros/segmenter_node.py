"""The segmenter node: cameras, one worker, and what the node says of itself.

What is done again and again beside the labelling goes by the wall clock. One such thing notices
that the ROS master was restarted: the new one does not know the node, nobody could find it any
more, and nothing would say so. It ends instead, and ``respawn`` in its launch file starts it anew.
"""

import logging
import threading
from typing import Callable, Mapping, Optional

import rosgraph
import rospy
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, SetBoolResponse

from semseg.classes import label_info_json
from semseg.errors import ConfigError, SemsegError
from semseg.msg import LabelInfo
from semseg.node.lineup import Lineup
from semseg.node.mailbox import Mailbox
from semseg.node.models import Model, check_same_classes
from semseg.node.options import CameraOptions
from semseg.node.worker import Worker
from semseg.ros import diagnostics
from semseg.ros.camera import Camera
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


class Periodic:
    """Calls a function every so many seconds, and sooner when asked, from a thread of its own.

    Not a ``rospy.Timer``: a looped bag sets the clock back, and that ends those. What the
    function raises is logged, and it is called again all the same.

    Args:
      name: of the thread, for the log.
      act: called without arguments.
      period_s: seconds from the end of a call to the start of the next.
    """

    def __init__(self, name: str, act: Callable[[], None], period_s: float):
        self._act = act
        self._period_s = period_s
        self._due = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread; the first call comes after one period."""
        self._thread.start()

    def soon(self) -> None:
        """Asks for a call that begins after this one; does not wait for it."""
        self._due.set()

    def stop(self) -> None:
        """Ends calling; does not wait for a call that runs."""
        self._ended = True
        self._due.set()

    def _run(self):
        while True:
            self._due.wait(self._period_s)
            self._due.clear()  # Before the call: what is asked for meanwhile comes after it.
            if self._ended:
                return
            try:
                self._act()
            except Exception:
                if not self._ended:  # The topics may be closed already.
                    _log.exception("%s failed; tried again", self._thread.name)


# Should a listener that came or went ever be missed, it is seen after this long.
LISTENERS_S = 1.0


def _load_none(name):
    raise ConfigError("this node loads no other model")


class SegmenterNode:
    """Segments the newest frame of each camera in turn.

    rospy's threads only swap the newest frame into a mailbox; one worker decodes, segments and
    publishes. A camera is subscribed only while someone listens to its labels.

    Args:
      model: the model that labels.
      cameras: camera name -> options; none stands for the single topic ``image``.
      reduced: the model that labels when ``model`` does not hold ``target_rate_hz``.
      target_rate_hz: labels per second that each camera is to get; 0 asks for no rate.
      load: makes the model that a call of ``~load_model`` names; raises ``SemsegError`` for
        one that must not or cannot be loaded.

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
        load: Callable[[str], Model] = _load_none,
    ):
        cameras = cameras or {"": CameraOptions()}
        if reduced is not None:
            check_same_classes(model, reduced)
        self._failed = False
        self._load = load
        self._loading = threading.Lock()
        self._label_info = rospy.Publisher("~label_info", LabelInfo, queue_size=1, latch=True)
        self._label_info_json = rospy.Publisher(
            "~label_info_json", String, queue_size=1, latch=True
        )
        self._ready = rospy.Publisher("~ready", Bool, queue_size=1, latch=True)
        # Not from rospy's callbacks themselves: subscribing there would wait for the master while
        # the listener's connection waits for the callback, and two of them would cross.
        self._demand = Periodic("demand", self._follow_demand, LISTENERS_S)
        self._mailbox = Mailbox({name: options.weight for name, options in cameras.items()})
        self._cameras = {
            name: Camera(name, options, model, self._mailbox.put, self._demand.soon)
            for name, options in cameras.items()
        }
        self._lineup = Lineup(model, reduced, target_rate_hz, self._describe)
        self._worker = Worker(self._lineup, self._mailbox, self._cameras, self._end)
        report = diagnostics.Diagnostics(list(self._cameras.values()), self._lineup).publish
        look = MasterWatch(self._end).look
        self._periodic = [
            self._demand,
            Periodic("diagnostics", report, diagnostics.PERIOD_S),
            Periodic("master watch", look, MASTER_PERIOD_S),
        ]
        rospy.on_shutdown(self._take_no_more)  # before the topics are closed
        self._describe(model)

    def start(self) -> None:
        """Starts the worker, subscribes what is asked for and says ``~ready``."""
        for camera in self._cameras.values():
            _log.info("segmenting %s", camera.images.topic)
        self._worker.start()
        self._follow_demand()
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
        return self._worker.stop(timeout_s)

    @property
    def failed(self) -> bool:
        """Whether the node ended by itself: its worker failed, or the master forgot it."""
        return self._failed

    def _take_no_more(self):
        self._mailbox.close()
        for part in self._periodic:
            part.stop()

    def _describe(self, model):
        segmenter = model.segmenter
        described = segmenter.classes, model.name, segmenter.digest
        self._label_info.publish(label_info_message(*described))
        self._label_info_json.publish(label_info_json(*described))

    def _follow_demand(self):
        for camera in self._cameras.values():
            camera.follow_demand()

    def _enable(self, request):
        for camera in self._cameras.values():
            camera.enabled = request.data
        self._demand.soon()
        return SetBoolResponse(True, "enabled" if request.data else "disabled")

    def _load_model(self, request):
        # In a thread of rospy's: the former model labels until the new one has run.
        try:
            with self._loading:
                model = self._load(request.model)
                self._check(model)
                if not self._worker.swap(model):
                    return LoadModelResponse(False, "the node ends")
        except (SemsegError, OSError) as error:
            reason = " ".join(str(error).split())
            _log.warning("~load_model '%.300s': %s", request.model, reason)
            return LoadModelResponse(False, reason)
        _log.info("%s labels from now on", model.name)
        return LoadModelResponse(True, model.name)

    def _check(self, model):
        try:
            for camera in self._cameras.values():
                camera.check(model)
            if self._lineup.reduced is not None:
                check_same_classes(model, self._lineup.reduced)
        except SemsegError:
            model.segmenter.close()
            raise

    def _end(self):
        self._failed = True
        rospy.signal_shutdown("the node failed")
