"""Watches a running segmenter at a playback; compares its labels with the true ones, if any.

Waits are bounded on the wall clock, since simulated time may be paused. Connections are asked of
the nodes themselves: the master knows of a subscription before its connection exists, and a
subscriber has its end of a connection before the publisher has the other, so that a message sent
in between is lost.
"""

import json
import threading
import time
from typing import Any, Callable, Dict, NamedTuple, Optional
from xmlrpc.client import ServerProxy

import rosgraph
import rospy
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from semseg.errors import ConfigError, ImageError, SemsegError, unknown_name
from semseg.files import write_file, write_png
from semseg.msg import LabelInfo
from semseg.node.options import COMPRESSED, RAW
from semseg.node.statistics import DROPS
from semseg.ros.label_info import class_table
from semseg.ros.messages import image_from_message, labels_from_message
from semseg.ros.playback.live_evaluation import Arrival, Bars, LiveEvaluation
from semseg.ros.playback.pictures import SampleSheet, VideoRecorder
from semseg.ros.subscriptions import BUFFER_SIZE
from semseg.runtime.images import image_codec
from semseg.runtime.segmenter import image_size

_INBOUND, _OUTBOUND = "i", "o"


def receives(label_topic: str, image_topic: str) -> bool:
    """Whether a node that publishes ``label_topic`` has a connection from ``image_topic``."""
    return any(
        direction == _INBOUND and topic == image_topic
        for _, _, direction, _, topic, *_ in _connections_of_publishers(label_topic)
    )


def sends_to_me(topic: str) -> bool:
    """Whether a node that publishes the topic has a connection of it to this node."""
    return any(
        direction == _OUTBOUND and connected == topic and peer == rospy.get_name()
        for _, peer, direction, _, connected, *_ in _connections_of_publishers(topic)
    )


def _connections_of_publishers(topic):
    """Lists the connections, as the slave API's ``getBusInfo`` does, of all that publish it."""
    master = rosgraph.Master(rospy.get_name())
    publishers, _, _ = master.getSystemState()
    connections = []
    for node in dict(publishers).get(topic, ()):
        slave: Any = ServerProxy(master.lookupNode(node))
        connections += slave.getBusInfo(rospy.get_name())[2]
    return connections


POLL_S = 0.1


def wait_for_message(topic: str, kind: Any, patience_s: float) -> Any:
    """Returns the next message of a topic, named before remapping.

    Raises:
      ConfigError: none came within ``patience_s`` seconds.
      rospy.ROSInterruptException: the node is shut down.
    """
    try:
        return rospy.wait_for_message(topic, kind, patience_s)
    except rospy.ROSException:
        if rospy.is_shutdown():
            raise rospy.ROSInterruptException("shut down")
        raise ConfigError("nothing came on %s in %d s" % (rospy.resolve_name(topic), patience_s))


def wait_until(
    condition: Callable[[], Any], patience_s: Optional[float] = None, complaint: str = ""
) -> None:
    """Polls a condition until it is true.

    Args:
      condition: what is waited for.
      patience_s: seconds to wait at most; None: for ever.
      complaint: what the error says.

    Raises:
      SemsegError: the patience is at its end.
      rospy.ROSInterruptException: the node is shut down.
    """
    started = time.monotonic()
    while not condition():
        if rospy.is_shutdown():
            raise rospy.ROSInterruptException("shut down")
        if patience_s is not None and time.monotonic() - started > patience_s:
            raise SemsegError("%s (waited %d s)" % (complaint, patience_s))
        time.sleep(POLL_S)


ANSWER_PATIENCE_S = 5.0
"""How long after the last image, or after the last labels, further labels are waited for."""
START_PATIENCE_S = 120.0
_KINDS = {RAW: ("", Image), COMPRESSED: ("/compressed", CompressedImage)}


class Outputs(NamedTuple):
    """Files that an evaluation leaves; an empty path leaves none."""

    report: str
    sheet: str = ""
    video: str = ""


class Evaluator:
    """Pairs published and true labels by stamp and times them, for one playback.

    Topics, all to be remapped: ``image`` and, if there are any, ``true_labels`` of the playback;
    ``labels``, ``overlay``, ``label_info`` and ``ready`` of the segmenter. A topic of true labels
    whose name ends with ``/compressed`` carries PNG.

    Args:
      outputs: what is written in the end.
      bars: what is good enough, and whether there are true labels.
      transport: ``raw`` or ``compressed``, as the segmenter's.

    Raises:
      SemsegError: no segmenter said that it is ready, or the transport is unknown.
    """

    def __init__(self, outputs: Outputs, bars: Bars, transport: str = RAW):
        if transport not in _KINDS:
            raise ConfigError(unknown_name("~transport", transport, _KINDS))
        self._outputs = outputs
        self._bars = bars
        info = wait_for_message("label_info", LabelInfo, START_PATIENCE_S)
        wait_for_message("ready", Bool, START_PATIENCE_S)
        self._model = {"model": info.model, "digest": info.digest}
        self._classes = class_table(info)
        self._evaluation = LiveEvaluation(self._classes, bars.labelled)
        self._sheet = SampleSheet(labelled=bars.labelled)
        self._video = VideoRecorder(outputs.video) if outputs.video else None
        self._lock = threading.Lock()
        self._last_answer = time.monotonic()
        self._drops: Dict[str, int] = {}
        self._drops_time = 0.0
        self._fault: Optional[ImageError] = None
        suffix, kind = _KINDS[transport]
        self._images = _subscribe(rospy.resolve_name("image") + suffix, kind, self._on_image)
        self._truths = self._subscribe_truths() if bars.labelled else None
        self._labels = _subscribe("labels", Image, self._on_labels)
        rospy.Subscriber("/diagnostics", DiagnosticArray, self._on_diagnostics)
        if self._video is not None:
            _subscribe("overlay", Image, self._on_overlay, self._video)

    def run(self, player: str) -> bool:
        """Starts the paused player, follows it to its end and writes the outputs.

        Args:
          player: node name of a paused ``rosbag play``; empty: whatever plays plays already.

        Returns:
          Whether the report's verdict is good.

        Raises:
          SemsegError: nothing was played, the true labels are none, or an output cannot be
            written.
        """
        self._wait_for_connections()
        if player:
            rospy.ServiceProxy(player + "/pause_playback", SetBool)(False)
        wait_until(lambda: self._images.get_num_connections() == 0)
        self._wait_for_answers()
        if self._fault is not None:
            raise self._fault
        with self._lock:
            report = dict(self._model, **self._evaluation.report(self._drops, self._bars))
        self._write(report)
        return report["passed"]

    def _wait_for_connections(self):
        topic = self._images.resolved_name
        for subscriber in filter(None, (self._images, self._truths)):
            wait_until(
                subscriber.get_num_connections,
                START_PATIENCE_S,
                "nobody publishes %s" % subscriber.resolved_name,
            )
        answers = self._labels.resolved_name
        wait_until(
            lambda: receives(answers, topic) and sends_to_me(answers),
            START_PATIENCE_S,
            "nobody turns %s into %s" % (topic, answers),
        )

    def _wait_for_answers(self):
        ended = time.monotonic()
        while not rospy.is_shutdown() and self._num_unanswered():
            if time.monotonic() - max(ended, self._last_answer) > ANSWER_PATIENCE_S:
                break
            time.sleep(POLL_S)
        # The counters must be younger than the last frame's fate.
        settled = time.monotonic()
        wait_until(lambda: self._drops_time > settled, START_PATIENCE_S, "no diagnostics came")

    def _num_unanswered(self):
        with self._lock:
            return self._evaluation.num_unanswered

    def _write(self, report: Dict[str, Any]):
        if self._video is not None:
            self._video.close()
        sheet = self._sheet.draw(self._classes)
        if self._outputs.sheet and sheet is not None:
            write_png(self._outputs.sheet, sheet)
        write_file(self._outputs.report, json.dumps(report, indent=2).encode())

    def _subscribe_truths(self):
        topic = rospy.resolve_name("true_labels")
        kind = CompressedImage if topic.endswith("/compressed") else Image
        return _subscribe(topic, kind, self._on_truth)

    def _on_image(self, message):
        arrived = time.monotonic()
        stamp = message.header.stamp.to_nsec()
        try:
            image = image_from_message(message)
        except ImageError:
            image = None  # The node names and counts it.
        # A compressed one is known by its pixels alone.
        size = image_size(image) if image is not None else (0, 0)
        with self._lock:
            self._evaluation.add_image(stamp, Arrival(message.header.frame_id, size, arrived))
            if image is not None:
                self._sheet.add_image(stamp, image)

    def _on_truth(self, message):
        stamp = message.header.stamp.to_nsec()
        try:
            labels = _true_labels(message)
        except ImageError as error:
            self._fault = error  # rospy would only print what a callback raises.
            return
        with self._lock:
            try:
                self._evaluation.add_truth(stamp, labels)
            except ImageError as error:
                self._fault = error
            self._sheet.add_labels("true", stamp, labels)

    def _on_labels(self, message):
        size = (message.height, message.width)
        arrival = Arrival(message.header.frame_id, size, time.monotonic())
        stamp, labels = message.header.stamp.to_nsec(), labels_from_message(message)
        with self._lock:
            self._last_answer = arrival.time_s
            try:
                self._evaluation.add_labels(stamp, arrival, labels)
            except ImageError as error:
                self._fault = error  # True labels of other classes than the model's.
            self._sheet.add_labels("found", stamp, labels)

    def _on_overlay(self, message, video):
        video.add(message.header.stamp.to_nsec(), image_from_message(message))

    def _on_diagnostics(self, message):
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if values.get("topic") == self._images.resolved_name:
                self._drops = {reason: int(values[reason]) for reason in DROPS}
                self._drops_time = time.monotonic()


def _subscribe(topic, kind, callback, *arguments):
    return rospy.Subscriber(topic, kind, callback, *arguments, buff_size=BUFFER_SIZE)


def _true_labels(message):
    if isinstance(message, CompressedImage):
        return image_codec.decode_compressed_labels(message.data, message.format)
    return labels_from_message(message)
