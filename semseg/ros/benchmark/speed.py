"""How old labels are and how many there are, beside the usual way to write such a node.

The table at the end says what was measured, and what it was to be.
"""

import contextlib
import multiprocessing
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
import rospy
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Header

from semseg.errors import SemsegError
from semseg.node.models import Model, ModelLoader
from semseg.node.options import CameraOptions, ModelOptions
from semseg.ros.benchmark.overhead import InstantSegmenter
from semseg.ros.entry import run_node
from semseg.ros.messages import image_from_message, image_message
from semseg.ros.segmenter_node import SegmenterNode
from semseg.runtime.segmenter import Segmentation

RATE_HZ = 30.0
SLOW_S = 0.2
ROUNDS = 3
"""The methods take turns so often, since the machine may have other things to do."""
WARM_UP_S = 3.0
"""So long the queues on the way fill before anything is measured."""
PATIENCE_S = 60.0
OURS, CALLBACK = "mailbox", "callback"
"""Our node, and inference in the image callback with ``queue_size=1`` and ``buff_size=1e8``: the
method of PARIS-sem-seg's node."""


class SlowSegmenter(InstantSegmenter):
    """Gives prepared labels after ``SLOW_S``."""

    def segment(self, image: np.ndarray, **_options) -> Segmentation:
        """Returns the prepared labels."""
        time.sleep(SLOW_S)
        return self._result


class Case(NamedTuple):
    """What is measured.

    Attributes:
      size: (height, width) of the images, rgb8 at ``RATE_HZ``.
      model: profile or path of a graph; empty: a segmenter that takes ``SLOW_S``.
      methods: ``OURS``, or both to compare them.
      camera_queue: queue size of the camera's publisher: 1 in many drivers, 10 in rospy's own
        examples, 100 in ``rosbag play``.
    """

    size: Tuple[int, int]
    model: str
    methods: Sequence[str]
    camera_queue: int = 10


class Speed(NamedTuple):
    """What a method did: labels per second, and percentiles of their age on arrival."""

    labels_hz: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def measure_speed(case: Case, seconds: float) -> Dict[str, Speed]:
    """Streams images at each method in turn; needs a running master and an initialised node.

    Args:
      case: what is measured.
      seconds: how long each method is measured, all rounds together.

    Returns:
      Method -> its speed.

    Raises:
      SemsegError: a method does not start or does not answer.
    """
    with contextlib.ExitStack() as stack:
        streams = {method: stack.enter_context(_stream(method, case)) for method in case.methods}
        ages_ms: Dict[str, List[float]] = {method: [] for method in streams}
        for _ in range(ROUNDS):
            for method, stream in streams.items():
                ages_ms[method] += stream.run(seconds / ROUNDS)
    return {method: _summary(method, ages, seconds) for method, ages in ages_ms.items()}


@contextlib.contextmanager
def _stream(method: str, case: Case) -> Iterator["_Stream"]:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(method, case))
    process.start()
    try:
        rospy.wait_for_message(method + "/ready", Bool, PATIENCE_S)
        yield _Stream(method, case)
    except rospy.ROSException as error:
        raise SemsegError("the method '%s' did not start: %s" % (method, error))
    finally:
        process.terminate()
        process.join()


def _serve(method, case):
    def main():
        node = _START[method](_model(case), method + "/camera")
        rospy.spin()
        del node

    run_node(method, main)


def _model(case):
    if case.model:
        return ModelLoader(ModelOptions()).load(case.model)
    return Model("slow", SlowSegmenter(case.size))


def _start_mailbox(model, camera):
    node = SegmenterNode(model, {camera: CameraOptions()})
    node.start()
    return node


def _start_callback(model, camera):
    labels = rospy.Publisher("~%s/labels" % camera, Image, queue_size=1)

    def segment(message):
        segmentation = model.segmenter.segment(image_from_message(message), confidence=False)
        labels.publish(image_message(message.header, segmentation.labels, "mono8"))

    ready = rospy.Publisher("~ready", Bool, queue_size=1, latch=True)
    ready.publish(True)
    images = rospy.Subscriber(camera + "/image", Image, segment, queue_size=1, buff_size=int(1e8))
    return labels, ready, images


_START: Dict[str, Any] = {OURS: _start_mailbox, CALLBACK: _start_callback}


class _Stream:
    """A camera in front of one method, and a listener behind it."""

    def __init__(self, method, case):
        camera = method + "/camera"
        self._size = case.size
        self._labels_topic = "%s/%s/labels" % (method, camera)
        self._camera = rospy.Publisher(camera + "/image", Image, queue_size=case.camera_queue)
        self._ages_ms: List[float] = []

    def run(self, seconds):
        """Streams for so many seconds after the warm-up; returns the ages of the labels."""
        labels = rospy.Subscriber(self._labels_topic, Image, self._keep, buff_size=2**24)
        self._wait_for_connections(labels)
        pixels = np.random.RandomState(1).randint(0, 256, self._size + (3,)).astype(np.uint8)
        message = image_message(Header(frame_id="camera"), pixels, "rgb8")
        self._send(message, WARM_UP_S)
        self._ages_ms = []
        self._send(message, seconds)
        ages_ms = self._ages_ms
        labels.unregister()
        return ages_ms

    def _send(self, message, seconds):
        for due in time.monotonic() + np.arange(0, seconds, 1 / RATE_HZ):
            time.sleep(max(0.0, due - time.monotonic()))
            message.header.stamp = rospy.Time.now()
            self._camera.publish(message)

    def _keep(self, message):
        self._ages_ms.append(1e3 * (rospy.Time.now() - message.header.stamp).to_sec())

    def _wait_for_connections(self, labels):
        deadline = time.monotonic() + PATIENCE_S
        while not (labels.get_num_connections() and self._camera.get_num_connections()):
            if time.monotonic() > deadline:
                raise SemsegError("nobody listens to %s" % self._camera.resolved_name)
            time.sleep(0.05)


def _summary(method, ages_ms, seconds):
    if not ages_ms:
        raise SemsegError("the method '%s' published no labels" % method)
    return Speed(len(ages_ms) / seconds, *np.percentile(ages_ms, (50, 95, 99)))


FRAME_MS = 1e3 / RATE_HZ
JITTER_MS = 30.0
BOTH = (OURS, CALLBACK)


class Bar(NamedTuple):
    """A demand on a case: what it says and whether it is held."""

    text: str
    is_held: bool


def speed_table(model: str, seconds: float, camera_queue: int) -> Tuple[List[str], bool]:
    """Measures all cases.

    Args:
      model: profile or path of the graph of the first case.
      seconds: how long each method of each case is measured.
      camera_queue: as in ``Case``.

    Returns:
      The table's lines, and whether all demands are held.
    """
    lines = ["%-22s %-9s %9s %8s %8s %8s" % ("images, model", "method", "labels/s", *_HEADS)]
    all_held = True
    for case, demand in (
        (Case((480, 640), model, (OURS,), camera_queue), _fast_bars),
        (Case((720, 1280), "", BOTH, camera_queue), _slow_bars),
        (Case((480, 640), "", BOTH, camera_queue), _never_older_bars),
    ):
        speeds = measure_speed(case, seconds)
        title = "%dx%d, %s" % (case.size + (case.model or "%.0f ms" % (1e3 * SLOW_S),))
        for method, speed in speeds.items():
            lines.append("%-22s %-9s %9.1f %8.1f %8.1f %8.1f" % (title, method, *speed))
        for bar in demand(speeds):
            lines.append("    %s: %s" % (bar.text, "held" if bar.is_held else "MISSED"))
            all_held = all_held and bar.is_held
    return lines, all_held


_HEADS = ("p50 ms", "p95 ms", "p99 ms")


def _fast_bars(speeds: Dict[str, Speed]) -> List[Bar]:
    ours = speeds[OURS]
    return [
        Bar("at least 29 labels/s", ours.labels_hz >= 29),
        Bar("age p95 at most 60 ms", ours.p95_ms <= 60),
    ]


def _slow_bars(speeds: Dict[str, Speed]) -> List[Bar]:
    ours, usual = speeds[OURS], speeds[CALLBACK]
    limit_ms = 1e3 * SLOW_S + FRAME_MS + JITTER_MS
    ratio = usual.p95_ms / ours.p95_ms
    return [
        Bar("age p99 at most %.0f ms" % limit_ms, ours.p99_ms <= limit_ms),
        Bar("age p95 at least 3 times lower than in the callback (%.1f)" % ratio, ratio >= 3),
    ]


def _never_older_bars(speeds: Dict[str, Speed]) -> List[Bar]:
    ours, usual = speeds[OURS], speeds[CALLBACK]
    is_held = all(mine <= theirs for mine, theirs in zip(ours[1:], usual[1:]))
    return [Bar("age never higher than in the callback", is_held)]
