"""Compares a running segmenter's labels with the true labels of a playback."""

import json
import logging
import os
import threading
import time
from typing import Any, Callable, Dict, NamedTuple, Optional

import rospy
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from semseg.errors import ConfigError, ImageError, SemsegError
from semseg.msg import LabelInfo
from semseg.ros.connections import receives, sends_to_me
from semseg.ros.label_info import class_table
from semseg.ros.live_evaluation import Arrival, LiveEvaluation
from semseg.ros.messages import image_from_message, labels_from_message
from semseg.ros.pictures import SampleSheet, VideoRecorder, write_picture
from semseg.ros.statistics import DROPS
from semseg.ros.subscriptions import BUFFER_SIZE

_log = logging.getLogger(__name__)

POLL_S = 0.1
ANSWER_PATIENCE_S = 5.0
"""How long after the last image, or after the last labels, further labels are waited for."""
START_PATIENCE_S = 120.0


class Outputs(NamedTuple):
    """Files that an evaluation leaves; an empty path leaves none."""

    report: str
    sheet: str = ""
    video: str = ""


class Evaluator:
    """Pairs published and true labels by stamp and times them, for one playback.

    Topics, all to be remapped: ``image`` and ``true_labels`` of the playback; ``labels``,
    ``overlay``, ``label_info`` and ``ready`` of the segmenter.

    Raises:
      SemsegError: no segmenter said that it is ready.
    """

    def __init__(self, outputs: Outputs):
        self._outputs = outputs
        info = _wait_for("label_info", LabelInfo)
        _wait_for("ready", Bool)
        self._model = {"model": info.model, "digest": info.digest}
        self._classes = class_table(info)
        self._evaluation = LiveEvaluation(self._classes)
        self._sheet = SampleSheet()
        self._video = VideoRecorder(outputs.video) if outputs.video else None
        self._lock = threading.Lock()
        self._last_answer = time.monotonic()
        self._drops: Dict[str, int] = {}
        self._drops_time = 0.0
        self._fault: Optional[ImageError] = None
        self._images = _subscribe("image", Image, self._on_image)
        self._truths = _subscribe("true_labels", Image, self._on_truth)
        self._labels = _subscribe("labels", Image, self._on_labels)
        rospy.Subscriber("/diagnostics", DiagnosticArray, self._on_diagnostics)
        if self._video is not None:
            _subscribe("overlay", Image, self._on_overlay, self._video)

    def run(self, player: str, min_mean_iou: float) -> bool:
        """Starts the paused player, follows it to its end and writes the outputs.

        Args:
          player: node name of a paused ``rosbag play``; empty: whatever plays plays already.
          min_mean_iou: the least mean IoU, 0..1, that is good enough.

        Returns:
          Whether the report's verdict is good.

        Raises:
          SemsegError: nothing was played, the true labels are none, or an output cannot be
            written.
        """
        self._wait_for_connections()
        if player:
            rospy.ServiceProxy(player + "/pause_playback", SetBool)(False)
        _wait_until(lambda: self._images.get_num_connections() == 0, None, "")
        self._wait_for_answers()
        if self._fault is not None:
            raise self._fault
        with self._lock:
            report = dict(self._model, **self._evaluation.report(self._drops, min_mean_iou))
        self._write(report)
        return report["passed"]

    def _wait_for_connections(self):
        topic = self._images.resolved_name
        _wait_until(
            lambda: self._images.get_num_connections() and self._truths.get_num_connections(),
            START_PATIENCE_S,
            "nobody publishes %s and %s" % (topic, self._truths.resolved_name),
        )
        answers = self._labels.resolved_name
        _wait_until(
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
        _wait_until(lambda: self._drops_time > settled, START_PATIENCE_S, "no diagnostics came")

    def _num_unanswered(self):
        with self._lock:
            return self._evaluation.num_unanswered

    def _write(self, report: Dict[str, Any]):
        if self._video is not None:
            self._video.close()
        sheet = self._sheet.draw(self._classes)
        if self._outputs.sheet and sheet is not None:
            write_picture(self._outputs.sheet, sheet)
        beside = self._outputs.report + ".partial"
        with open(beside, "w") as file:
            json.dump(report, file, indent=2)
        os.replace(beside, self._outputs.report)

    def _on_image(self, message):
        arrival = _arrival(message)
        stamp = message.header.stamp.to_nsec()
        with self._lock:
            self._evaluation.add_image(stamp, arrival)
        try:
            image = image_from_message(message)
        except ImageError:
            return  # The node names and counts it.
        with self._lock:
            self._sheet.add_image(stamp, image)

    def _on_truth(self, message):
        stamp = message.header.stamp.to_nsec()
        try:
            labels = labels_from_message(message)
        except ImageError as error:
            self._fault = error  # rospy would only print what a callback raises.
            return
        with self._lock:
            self._evaluation.add_truth(stamp, labels)
            self._sheet.add_labels("true", stamp, labels)

    def _on_labels(self, message):
        arrival = _arrival(message)
        stamp, labels = message.header.stamp.to_nsec(), labels_from_message(message)
        with self._lock:
            self._last_answer = arrival.time_s
            self._evaluation.add_labels(stamp, arrival, labels)
            self._sheet.add_labels("found", stamp, labels)

    def _on_overlay(self, message, video):
        video.add(message.header.stamp.to_nsec(), image_from_message(message))

    def _on_diagnostics(self, message):
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if values.get("topic") == self._images.resolved_name:
                self._drops = {reason: int(values[reason]) for reason in DROPS}
                self._drops_time = time.monotonic()


def _arrival(message):
    return Arrival(message.header.frame_id, (message.height, message.width), time.monotonic())


def _subscribe(topic, kind, callback, *arguments):
    return rospy.Subscriber(topic, kind, callback, *arguments, buff_size=BUFFER_SIZE)


def _wait_for(topic, kind):
    try:
        return rospy.wait_for_message(topic, kind, START_PATIENCE_S)
    except rospy.ROSException:
        if rospy.is_shutdown():
            raise rospy.ROSInterruptException("shut down")
        raise ConfigError(
            "nothing came on %s in %d s" % (rospy.resolve_name(topic), START_PATIENCE_S)
        )


def _wait_until(condition: Callable[[], Any], patience_s, complaint):
    """Polls on the wall clock; raises ``SemsegError`` when the patience is at its end."""
    started = time.monotonic()
    while not condition():
        if rospy.is_shutdown():
            raise rospy.ROSInterruptException("shut down")
        if patience_s is not None and time.monotonic() - started > patience_s:
            raise SemsegError("%s (waited %d s)" % (complaint, patience_s))
        time.sleep(POLL_S)
