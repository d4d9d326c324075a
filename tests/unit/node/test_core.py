"""The node as a whole, on plain Python objects in the middleware's place. Python 3.6 syntax."""

import time

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError, GraphError, ImageError
from semseg.node.camera import Camera
from semseg.node.core import NodeCore
from semseg.node.health import examine, judge
from semseg.node.models import Model
from semseg.node.options import CameraOptions
from semseg.node.ports import Facts, Sink, Source
from semseg.node.statistics import FAILED, IDLE, LIMITED, MALFORMED, RECEIVED, STALE, UNPAIRED
from semseg.runtime import Segmentation, Timing

CLASSES = ClassTable.create(["road", "sky"], [(1, 2, 3), (4, 5, 6)])
NOW_S = 1000.0


class Message:
    def __init__(self, image, stamp_s=NOW_S):
        self.image = image
        self.stamp_s = stamp_s


class PlainSource(Source):
    topic, second_topic = "front", ""
    is_open = False
    num_publishers = 1

    def deliver_to(self, receiver):
        self._receiver = receiver

    def open(self):
        self.is_open = True

    def close(self):
        self.is_open = False

    def facts(self, message):
        return Facts(message.stamp_s, "optical", message.image.tobytes())

    def image(self, message):
        if message.image.ndim != 3:
            raise ImageError("no image 'x'")
        return message.image

    def hint(self):
        return ""

    def send(self, message):
        self._receiver.observe(message)
        self._receiver.offer(message)


class PlainSink(Sink):
    wanted = True
    probabilities_wanted = False
    confidence_wanted = False

    def __init__(self):
        self.results = []

    def publish(self, result):
        self.results.append(result)


class RedSegmenter:
    """Labels are the red channel; a blue image cannot be segmented."""

    classes = CLASSES
    digest, engine, precision, refusals, head = "d", "none", "float32", (), None

    def __init__(self):
        self.closed = False

    def segment(self, image, second=None, probabilities=False, confidence=True):
        if image[..., 2].any():
            raise GraphError("blue")
        sure = np.full(image.shape[:2], 0.4, np.float32)
        return Segmentation(image[..., 0].copy(), sure, None, Timing(0.0, 0.0, 0.0))

    def close(self):
        self.closed = True


class Bench:
    def __init__(self, options=None, load=None):
        self.source, self.sink, self.announced, self.ended = PlainSource(), PlainSink(), [], []
        self.segmenter = RedSegmenter()
        self.core = NodeCore(
            Model("red.pb", self.segmenter),
            {"front": options or CameraOptions()},
            self._make,
            announce=self.announced.append,
            ended=lambda: self.ended.append(True),
            load=load,
        )
        self.camera = self.core.cameras["front"]

    def _make(self, name, options, model, put, changed):
        return Camera(
            name, options, model, source=self.source, sink=self.sink, put=put, clock=lambda: NOW_S
        )

    def answer(self, message):
        number = len(self.sink.results)
        self.source.send(message)
        _wait_until(lambda: len(self.sink.results) > number)
        return self.sink.results[-1]

    def counted(self, fate):
        _wait_until(lambda: self.camera.statistics.counts[fate])
        return self.camera.statistics.counts[fate]


@pytest.fixture
def bench():
    benches = []

    def make(*args, **options):
        benches.append(Bench(*args, **options))
        benches[-1].core.start()
        return benches[-1]

    yield make
    for each in benches:
        assert each.core.stop(5.0)
        assert not each.ended


def _wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert condition()


def image(red=1, size=(4, 6), blue=0):
    pixels = np.zeros(size + (3,), np.uint8)
    pixels[..., 0], pixels[..., 2] = red, blue
    return pixels


def test_a_frame_becomes_a_result_of_its_message(bench):
    node = bench()
    message = Message(image())
    result = node.answer(message)
    assert result.message is message
    assert result.segmentation.labels.tolist() == image()[..., 0].tolist()
    assert result.classes == CLASSES
    assert node.announced[0].name == "red.pb"


def test_a_crop_is_void_and_so_is_what_is_uncertain(bench):
    node = bench(CameraOptions(crop="1,1"))
    labels = node.answer(Message(image())).segmentation.labels
    assert labels[:, 0].tolist() == [IGNORE, 1, 1, IGNORE]
    node = bench(CameraOptions(min_confidence=0.5))
    assert (node.answer(Message(image())).segmentation.labels == IGNORE).all()


def test_what_becomes_of_frames_that_are_not_answered(bench):
    node = bench(CameraOptions(max_age=1.0))
    node.source.send(Message(image(), stamp_s=NOW_S - 2))
    assert node.counted(STALE) == 1
    node.source.send(Message(np.zeros(3, np.uint8)))
    assert node.counted(MALFORMED) == 1
    node.source.send(Message(image(blue=9)))
    assert node.counted(FAILED) == 1
    node.camera.miss()
    assert node.counted(UNPAIRED) == 1
    node.sink.wanted = False
    node.source.send(Message(image()))
    assert node.counted(IDLE) == 1
    assert node.counted(RECEIVED) == 4
    assert node.sink.results == []


def test_no_more_frames_than_asked_for(bench):
    node = bench(CameraOptions(max_rate=0.001))
    node.answer(Message(image()))
    node.source.send(Message(image()))
    assert node.counted(LIMITED) == 1


def test_the_source_is_open_only_while_someone_listens(bench):
    node = bench()
    assert node.source.is_open
    node.sink.wanted = False
    node.camera.follow_demand()
    assert not node.source.is_open
    node.sink.wanted = True
    assert node.core.enable(False) == "disabled"
    _wait_until(lambda: not node.camera.wanted)
    node.camera.follow_demand()
    assert not node.source.is_open
    assert node.core.enable(True) == "enabled"
    _wait_until(lambda: node.source.is_open)


def test_another_model_takes_the_place_of_the_first(bench):
    other = RedSegmenter()
    node = bench(load=lambda name: Model(name, other))
    assert node.core.load_model("other.pb") == (True, "other.pb")
    assert node.segmenter.closed
    assert [model.name for model in node.announced] == ["red.pb", "other.pb"]
    assert node.answer(Message(image(0))).segmentation.labels.max() == 0


def test_a_model_that_must_not_be_loaded_is_refused_in_one_line(bench):
    node = bench()
    assert node.core.load_model("x") == (False, "this node loads no other model")

    def refuse(name):
        raise ConfigError("two\nlines")

    assert bench(load=refuse).core.load_model("x") == (False, "two lines")


def test_a_camera_that_sees_is_healthy_and_a_silent_one_is_not(bench):
    node = bench()
    rates = dict.fromkeys(node.camera.statistics.counts, 0.0)
    assert judge(examine(node.camera, rates)) == (1, "no image yet on front")
    node.answer(Message(image()))
    assert judge(examine(node.camera, rates)) == (0, "receiving front")
    assert node.camera.stream.frame_id == "optical"


def test_wrong_options_are_refused_before_anything_starts():
    with pytest.raises(ConfigError, match="tree"):
        Bench(CameraOptions(masks=["tree"]))
