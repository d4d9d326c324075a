"""The worker with fake cameras and a segmenter of known latency: newest frame, fairness, faults."""

import threading
import time
from collections import Counter

import pytest

from semseg.errors import EngineError, ImageError
from semseg.node.lineup import Lineup
from semseg.node.mailbox import Mailbox
from semseg.node.models import Model
from semseg.node.statistics import REPLACED, SEGMENTED, CameraStatistics
from semseg.node.worker import MAX_PASSED_OVER, Worker


class FakeCamera:
    """Its frames are numbers; a negative one is malformed."""

    probabilities_wanted = False
    confidence_wanted = False
    wanted = True

    def __init__(self, name, mailbox, on_prepare=lambda number: None):
        self.name = name
        self.statistics = CameraStatistics()
        self.received = self.num_sent = 0
        self.answered, self.errors = [], []
        self._mailbox = mailbox
        self._on_prepare = on_prepare

    def send(self):
        self.num_sent += 1
        if self._mailbox.put(self.name, self.num_sent) is not None:
            self.statistics.count(REPLACED)
        self.received = self.num_sent

    def prepare(self, frame, segmenter):
        self._on_prepare(frame)
        if frame < 0:
            raise ImageError("malformed")
        return Prepared(self, frame)

    def publish(self, prepared, segmentation, classes):
        self.statistics.count(SEGMENTED)
        self.answered.append(segmentation)

    def reject(self, error):
        self.errors.append(error)


class Prepared:
    second = None

    def __init__(self, camera, frame):
        self.seen = camera, frame


class SlowSegmenter:
    """Notes, as an inference starts, how many newer frames of that camera were received."""

    classes = None

    def __init__(self, latency_s=0.0):
        self.overtaken = []
        self._latency_s = latency_s

    def segment(self, seen, second, probabilities=False, confidence=True):
        camera, frame = seen
        self.overtaken.append(camera.received - frame)
        time.sleep(self._latency_s)
        if frame % 7 == 0:
            raise EngineError("out of luck")
        return frame


@pytest.fixture
def run():
    workers = []

    def start(segmenter, mailbox, *cameras, batch_size=1):
        failures = []
        worker = Worker(
            Lineup(Model("full.pb", segmenter, batch_size=batch_size)),
            mailbox,
            {camera.name: camera for camera in cameras},
            lambda: failures.append(1),
        )
        workers.append(worker)
        worker.start()
        return worker, failures

    yield start
    for worker in workers:
        worker.stop(5)


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert condition()


def num_done(camera):
    return camera.statistics.counts[SEGMENTED] + len(camera.errors)


def test_when_an_inference_starts_no_newer_frame_has_been_received(run, monkeypatch):
    # A busy machine may decode so slowly that frames are answered in spite of newer ones.
    monkeypatch.setattr("semseg.node.worker.MAX_PASSED_OVER", 1000)
    mailbox, segmenter = Mailbox(), SlowSegmenter(0.02)
    camera = FakeCamera("front", mailbox, lambda number: time.sleep(0.002))
    run(segmenter, mailbox, camera)
    for _ in range(200):  # 200 Hz into 45 Hz
        camera.send()
        time.sleep(0.005)
    wait_until(lambda: camera.answered and camera.answered[-1] == 200)
    assert set(segmenter.overtaken) == {0}
    assert camera.answered == sorted(camera.answered)
    assert num_done(camera) + camera.statistics.counts[REPLACED] == 200
    assert camera.statistics.counts[REPLACED] > 0


def test_a_frame_that_was_overtaken_while_it_was_decoded_is_given_up(run):
    mailbox = Mailbox()
    camera = FakeCamera("front", mailbox, lambda number: number == 1 and camera.send())
    run(SlowSegmenter(), mailbox, camera)
    camera.send()
    wait_until(lambda: camera.answered == [2])
    assert camera.statistics.counts[REPLACED] == 1


def test_a_camera_that_always_overtakes_its_decoding_is_answered_all_the_same(run):
    mailbox = Mailbox()
    camera = FakeCamera("front", mailbox, lambda number: number < 20 and camera.send())
    run(SlowSegmenter(), mailbox, camera)
    camera.send()
    wait_until(lambda: camera.answered and camera.answered[-1] == 20)
    assert camera.answered[:2] == [MAX_PASSED_OVER + 1, 2 * (MAX_PASSED_OVER + 1)]


def test_a_fast_camera_does_not_starve_a_slow_one(run):
    mailbox = Mailbox()
    fast, slow = FakeCamera("fast", mailbox), FakeCamera("slow", mailbox)
    order = []
    segmenter = SlowSegmenter(0.005)
    original = segmenter.segment
    segmenter.segment = lambda seen, **options: (
        order.append(seen[0].name),
        original(seen, **options),
    )[1]
    run(segmenter, mailbox, fast, slow)
    for number in range(100):
        fast.send()
        if number % 10 == 0:
            slow.send()
        time.sleep(0.002)
    wait_until(lambda: num_done(slow) + slow.statistics.counts[REPLACED] == 10)
    assert Counter(order)["slow"] == 10


def test_errors_of_a_frame_go_to_its_camera_and_the_next_frame_is_served(run):
    mailbox = Mailbox()
    camera = FakeCamera("front", mailbox)
    _, failures = run(SlowSegmenter(), mailbox, camera)
    for frame in (-1, 7, 8):
        mailbox.put("front", frame)
        wait_until(lambda: not mailbox.holds("front"))
        time.sleep(0.02)
    wait_until(lambda: camera.answered == [8])
    assert [type(error) for error in camera.errors] == [ImageError, EngineError]
    assert not failures


def test_a_bug_ends_the_worker_and_is_said(run, caplog):
    mailbox = Mailbox()
    camera = FakeCamera("front", mailbox, lambda number: 1 / 0)
    worker, failures = run(SlowSegmenter(), mailbox, camera)
    camera.send()
    wait_until(lambda: failures)
    assert "ZeroDivisionError" in caplog.text
    assert worker.stop(5)


def test_what_fails_because_the_node_ends_is_no_failure(run, caplog):
    mailbox = Mailbox()
    camera = FakeCamera("front", mailbox)
    _, failures = run(SlowSegmenter(), mailbox, camera)

    def publish_on_a_closed_topic(*_):
        mailbox.close()
        raise RuntimeError("publish() to a closed topic")

    camera.publish = publish_on_a_closed_topic
    camera.send()
    wait_until(lambda: mailbox.closed)
    time.sleep(0.05)
    assert not failures
    assert not caplog.records


def test_stopping_in_the_middle_of_an_inference_does_not_wait_for_it(run):
    mailbox = Mailbox()
    camera = FakeCamera("front", mailbox)
    started = threading.Event()
    segmenter = SlowSegmenter(0.5)
    camera.prepare = lambda frame, _: (started.set(), Prepared(camera, frame))[1]
    worker, _ = run(segmenter, mailbox, camera)
    camera.send()
    assert started.wait(5)
    asked = time.monotonic()
    assert not worker.stop(0.1)
    assert time.monotonic() - asked < 0.4


class BatchSegmenter(SlowSegmenter):
    """Notes which frames were segmented together, and whether their confidence was wanted."""

    def __init__(self):
        super().__init__()
        self.batches, self.confidences = [], []

    def segment(self, seen, second, probabilities=False, confidence=True):
        self.confidences.append(confidence)
        return super().segment(seen, second, probabilities, confidence)

    def segment_batch(self, images, confidence):
        self.confidences.append(confidence)
        self.batches.append([(camera.name, frame) for camera, frame in images])
        if any(frame == 13 for _, frame in images):
            raise EngineError("out of luck")
        return [frame for _, frame in images]


def test_frames_of_several_cameras_that_wait_are_segmented_together(run):
    mailbox, segmenter = Mailbox(), BatchSegmenter()
    cameras = [FakeCamera(name, mailbox) for name in ("front", "left", "right")]
    for camera in cameras:
        camera.send()
    run(segmenter, mailbox, *cameras, batch_size=2)
    wait_until(lambda: all(camera.answered == [1] for camera in cameras))
    assert segmenter.batches == [[("front", 1), ("left", 1)]]


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("wanted", [False, True])
def test_confidence_is_computed_if_a_camera_wants_it(run, batch_size, wanted):
    mailbox, segmenter = Mailbox(), BatchSegmenter()
    cameras = [FakeCamera(name, mailbox) for name in ("front", "left")]
    cameras[1].confidence_wanted = wanted
    for camera in cameras:
        camera.send()
    run(segmenter, mailbox, *cameras, batch_size=batch_size)
    wait_until(lambda: all(camera.answered == [1] for camera in cameras))
    assert segmenter.confidences == ([wanted] if batch_size == 2 else [False, wanted])


def test_a_frame_of_a_batch_that_was_overtaken_is_given_up_alone(run):
    mailbox, segmenter = Mailbox(), BatchSegmenter()
    front = FakeCamera("front", mailbox)
    left = FakeCamera("left", mailbox, lambda number: front.num_sent == 1 and front.send())
    front.send()
    left.send()
    run(segmenter, mailbox, front, left, batch_size=2)
    wait_until(lambda: left.answered == [1] and front.answered == [2])
    assert segmenter.batches == [[("left", 1)]]
    assert front.statistics.counts[REPLACED] == 1


def test_a_frame_that_comes_while_a_batch_is_gathered_replaces_its_predecessor(run):
    mailbox, segmenter = Mailbox(), BatchSegmenter()
    front = FakeCamera("front", mailbox)
    take = mailbox.take

    def take_and_send(timeout=None):
        item = take(timeout)
        if front.num_sent == 1:
            front.send()
        return item

    mailbox.take = take_and_send
    front.send()
    run(segmenter, mailbox, front, batch_size=2)
    wait_until(lambda: front.answered == [2])
    assert front.statistics.counts[REPLACED] == 1


def test_a_batch_that_fails_is_tried_one_by_one(run):
    mailbox, segmenter = Mailbox(), BatchSegmenter()
    front, left = FakeCamera("front", mailbox), FakeCamera("left", mailbox)
    mailbox.put("front", 13)
    mailbox.put("left", 14)  # 14 is what the engine cannot run on
    run(segmenter, mailbox, front, left, batch_size=2)
    wait_until(lambda: front.answered and left.errors)
    assert front.answered == [13]
    assert [type(error) for error in left.errors] == [EngineError]


def test_a_swap_waits_for_the_frame_and_drops_none(run):
    mailbox, former, later = Mailbox(), SlowSegmenter(0.05), SlowSegmenter()
    former.close = lambda: setattr(former, "segment", None)
    camera = FakeCamera("front", mailbox)
    worker, failures = run(former, mailbox, camera)
    camera.send()
    wait_until(lambda: former.overtaken)  # in the middle of its inference
    camera.send()
    assert worker.swap(Model("later.pb", later))
    assert former.segment is None
    camera.send()
    wait_until(lambda: camera.answered and camera.answered[-1] == 3)
    assert camera.answered[0] == 1
    assert len(camera.answered) + camera.statistics.counts[REPLACED] == 3
    assert later.overtaken
    assert not failures


def test_a_swap_ends_with_the_worker(run):
    mailbox = Mailbox()
    worker, _ = run(SlowSegmenter(), mailbox)
    mailbox.close()
    assert not worker.swap(Model("later.pb", SlowSegmenter()))
