"""What the node costs beside inference: from a camera message in to a label message out."""

import multiprocessing
import os
import time
from typing import NamedTuple, Sequence, Tuple

import numpy as np
import rospy
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Header

from semseg.classes import ClassTable
from semseg.errors import SemsegError
from semseg.node.models import Model
from semseg.ros.entry import run_node
from semseg.ros.messages import image_message
from semseg.ros.segmenter_node import SegmenterNode
from semseg.runtime.segmenter import Segmentation, Timing

WARM_UP = 20
PATIENCE_S = 10.0


class InstantSegmenter:
    """Gives prepared labels at once, so that all time that passes is the node's.

    Args:
      size: (height, width) of the images.
    """

    classes = ClassTable.create(["red", "green", "blue"], [(255, 0, 0), (0, 255, 0), (0, 0, 255)])
    digest = "instant"
    engine = "none"
    precision = "none"
    refusals = ()
    head = None

    def __init__(self, size: Tuple[int, int]):
        labels = np.random.RandomState(0).randint(0, 3, size).astype(np.uint8)
        confidence = np.ones(size, np.float32)
        self._result = Segmentation(labels, confidence, None, Timing(0.0, 0.0, 0.0))

    def segment(self, image: np.ndarray, **_options) -> Segmentation:
        """Returns the prepared labels."""
        return self._result


class Overhead(NamedTuple):
    """Milliseconds of one set of outputs.

    Attributes:
      outputs: the outputs that were listened to.
      p50_ms: median from ``publish`` of the image in one process to the arrival of the last
        output in it; the node runs in another.
      p95_ms: 95th percentile of it.
      cpu_ms: CPU time of the node per frame, all threads; unlike the others it is little
        changed by what else the machine does.
    """

    outputs: Tuple[str, ...]
    p50_ms: float
    p95_ms: float
    cpu_ms: float


def measure_overhead(
    output_sets: Sequence[Sequence[str]], size: Tuple[int, int], frames: int, rate_hz: float
) -> Sequence[Overhead]:
    """Measures the node's overhead over real topics; needs a master and an initialised node.

    Args:
      output_sets: sets of outputs to listen to, such as ``["labels"]``.
      size: (height, width) of the images, rgb8.
      frames: number of frames per set.
      rate_hz: frames per second; the next one is sent after the answer in any case.

    Raises:
      SemsegError: a frame was not answered.
    """
    node = multiprocessing.get_context("spawn").Process(target=_serve, args=(size,))
    node.start()
    try:
        rospy.wait_for_message("segmenter/ready", Bool)
        camera = rospy.Publisher("image", Image, queue_size=1)
        cameraman = _Cameraman(camera, size, rate_hz)
        return [_measure(cameraman, node.pid, outputs, frames) for outputs in output_sets]
    finally:
        node.terminate()
        node.join()


def _serve(size):
    def main():
        node = SegmenterNode(Model("instant", InstantSegmenter(size)))
        node.start()
        rospy.spin()
        node.stop()

    run_node("segmenter", main)


class _Cameraman:
    """Sends frames one by one and notes when the answers arrive."""

    def __init__(self, camera, size, rate_hz):
        self._camera = camera
        self._pixels = np.random.RandomState(1).randint(0, 256, size + (3,)).astype(np.uint8)
        self._period_s = 1.0 / rate_hz
        self._number = 0
        self._arrivals = {}

    def listen(self, outputs):
        """Subscribes the outputs and waits for all connections; returns the subscribers."""
        listeners = [
            rospy.Subscriber("segmenter/" + output, Image, self._keep, output, buff_size=2**24)
            for output in outputs
        ]
        while not all(link.get_num_connections() for link in listeners + [self._camera]):
            time.sleep(0.05)
        return listeners

    def send(self, outputs):
        """Sends a frame; returns the milliseconds until its last answer."""
        self._number += 1
        self._arrivals.clear()
        stamp = rospy.Time(self._number)
        message = image_message(Header(stamp=stamp), self._pixels, "rgb8")
        started = time.monotonic()
        self._camera.publish(message)
        while not all((output, stamp) in self._arrivals for output in outputs):
            if time.monotonic() - started > PATIENCE_S:
                raise SemsegError("a frame was not answered in %d s" % PATIENCE_S)
            time.sleep(0.0002)
        duration_ms = 1e3 * (max(self._arrivals.values()) - started)
        time.sleep(max(0.0, self._period_s - (time.monotonic() - started)))
        return duration_ms

    def _keep(self, message, output):
        self._arrivals[output, message.header.stamp] = time.monotonic()


def _measure(cameraman, node_pid, outputs, frames):
    listeners = cameraman.listen(outputs)
    for _ in range(WARM_UP):
        cameraman.send(outputs)
    started_s = _cpu_s(node_pid)
    durations_ms = [cameraman.send(outputs) for _ in range(frames)]
    cpu_ms = 1e3 * (_cpu_s(node_pid) - started_s) / frames
    for listener in listeners:
        listener.unregister()
    p50, p95 = np.percentile(durations_ms, (50, 95))
    return Overhead(tuple(outputs), float(p50), float(p95), cpu_ms)


def _cpu_s(pid):
    """CPU time of a process so far, user and system (proc(5): fields 14 and 15)."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
