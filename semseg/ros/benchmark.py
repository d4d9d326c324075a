"""What the node costs beside inference: from a camera message in to a label message out."""

import multiprocessing
import time
from typing import NamedTuple, Sequence, Tuple

import numpy as np
import rospy
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Header

from semseg.errors import SemsegError
from semseg.ros.entry import run_node
from semseg.ros.messages import image_message
from semseg.ros.node import SegmenterNode
from semseg.ros.stub import STUB_CLASSES
from semseg.runtime.segmenter import Segmentation, Timing

WARM_UP = 20
PATIENCE_S = 10.0


class InstantSegmenter:
    """Gives prepared labels at once, so that all time that passes is the node's.

    Args:
      size: (height, width) of the images.
    """

    classes = STUB_CLASSES
    digest = "instant"
    engine = "none"

    def __init__(self, size: Tuple[int, int]):
        labels = np.random.RandomState(0).randint(0, 3, size).astype(np.uint8)
        confidence = np.ones(size, np.float32)
        self._result = Segmentation(labels, confidence, None, Timing(0.0, 0.0, 0.0))

    def segment(self, image: np.ndarray, probabilities: bool = False) -> Segmentation:
        """Returns the prepared labels."""
        return self._result


class Overhead(NamedTuple):
    """Milliseconds of one set of outputs.

    Attributes:
      outputs: the outputs that were listened to.
      p50_ms: median from ``publish`` of the image in one process to the arrival of the last
        output in it; the node runs in another.
      p95_ms: 95th percentile of it.
    """

    outputs: Tuple[str, ...]
    p50_ms: float
    p95_ms: float


def measure_overhead(
    output_sets: Sequence[Sequence[str]], size: Tuple[int, int], frames: int, rate_hz: float
) -> Sequence[Overhead]:
    """Measures the node's overhead over real topics; needs a running master.

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
        rospy.init_node("benchmark", anonymous=True)
        rospy.wait_for_message("segmenter/ready", Bool)
        camera = rospy.Publisher("image", Image, queue_size=1)
        return [_measure(camera, outputs, size, frames, rate_hz) for outputs in output_sets]
    finally:
        node.terminate()
        node.join()


def _serve(size):
    def main():
        node = SegmenterNode(InstantSegmenter(size), model="instant")
        node.start()
        rospy.spin()
        node.stop()

    run_node("segmenter", main)


def _measure(camera, outputs, size, frames, rate_hz):
    arrivals = {}

    def keep(message, output):
        arrivals[output, message.header.stamp.secs] = time.monotonic()

    listeners = [
        rospy.Subscriber("segmenter/" + output, Image, keep, output, buff_size=2**24)
        for output in outputs
    ]
    while not all(link.get_num_connections() for link in listeners + [camera]):
        time.sleep(0.05)
    pixels = np.random.RandomState(1).randint(0, 256, size + (3,)).astype(np.uint8)
    durations_ms = []
    for number in range(1, WARM_UP + frames + 1):
        message = image_message(Header(stamp=rospy.Time(number)), pixels, "rgb8")
        started = time.monotonic()
        camera.publish(message)
        expected = {(output, number) for output in outputs}
        while not expected <= set(arrivals):
            if time.monotonic() - started > PATIENCE_S:
                raise SemsegError("frame %d was not answered in %d s" % (number, PATIENCE_S))
            time.sleep(0.0002)
        durations_ms.append(1e3 * (max(arrivals.values()) - started))
        arrivals.clear()
        time.sleep(max(0.0, 1.0 / rate_hz - (time.monotonic() - started)))
    for listener in listeners:
        listener.unregister()
    p50, p95 = np.percentile(durations_ms[WARM_UP:], (50, 95))
    return Overhead(tuple(outputs), float(p50), float(p95))
