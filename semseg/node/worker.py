"""The one thread that decodes, segments and publishes; knows nothing of ROS."""

import logging
import threading
import time
from collections import Counter
from typing import Any, Callable, Dict, Mapping, NamedTuple

from semseg.errors import SemsegError
from semseg.node.lineup import Lineup
from semseg.node.mailbox import Mailbox
from semseg.node.models import Model
from semseg.node.statistics import REPLACED

_log = logging.getLogger(__name__)

MAX_PASSED_OVER = 3
"""How many frames in a row may be given up, decoded, for a newer one. A camera that is faster
than its frames can be decoded would otherwise never be answered."""

_POLL_S = 0.1
_SWAP = object()
"""The key, beside the cameras' names, under which a new model lies in the mailbox."""


class _Swap(NamedTuple):
    model: Model
    done: threading.Event


class _Turn(NamedTuple):
    camera: Any
    prepared: Any


class _Answer(NamedTuple):
    prepared: Any
    segmentation: Any


class Worker:
    """Segments the newest frame of each camera in turn, as the mailbox orders them.

    When an inference starts, no newer frame of that camera waits in the mailbox: one that came
    while the frame was decoded takes its place (at most ``MAX_PASSED_OVER`` times in a row).

    Args:
      lineup: the models; used by the worker's thread only.
      mailbox: where the cameras leave their frames, by camera name.
      cameras: camera name -> ``Camera`` or alike: ``prepare``, ``publish``, ``reject``,
        ``statistics``, ``wanted``, ``probabilities_wanted`` and ``confidence_wanted``.
      failed: called when an error of the program itself ended the worker.
    """

    def __init__(
        self,
        lineup: Lineup,
        mailbox: Mailbox,
        cameras: Mapping[str, Any],
        failed: Callable[[], None],
    ):
        self._lineup = lineup
        self._mailbox = mailbox
        self._cameras = cameras
        self._failed = failed
        self._passed_over: Dict[str, int] = Counter()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Takes no more frames and waits for the thread.

        Returns:
          Whether it ended; it does not while an inference takes longer than the time.
        """
        self._mailbox.close()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def swap(self, model: Model) -> bool:
        """Lets another model label from the next frame on, and waits until it does.

        One thread at a time may call it.

        Returns:
          Whether it does; not if the worker is stopped.
        """
        swap = _Swap(model, threading.Event())
        self._mailbox.put(_SWAP, swap)
        while not swap.done.wait(_POLL_S):
            if self._mailbox.closed:
                return False
        return True

    def _run(self):
        try:
            while not self._mailbox.closed:
                self._take_turns()
        except Exception:
            if self._mailbox.closed:
                return  # The node ends: what this frame publishes on is closed already.
            # Without its worker the node would look alive and never answer again.
            _log.exception("the worker failed; the node ends")
            self._failed()

    def _take_turns(self):
        """Serves the next frame, or as many as the model takes at once of those that wait."""
        model, swap = self._lineup.current, None
        frames = {}
        item: Any = self._mailbox.take()
        started = time.monotonic()
        while item is not None:
            name, content = item
            if name is _SWAP:
                swap = content
                break
            if name in frames:  # It came since the camera's turn was taken, just now.
                self._cameras[name].statistics.count(REPLACED)
            frames[name] = content
            item = self._mailbox.take(0) if len(frames) < model.batch_size else None
        self._serve(model, frames, started)
        if swap is not None:
            self._lineup.swap(swap.model)
            swap.done.set()

    def _serve(self, model, frames, started):
        turns = [self._prepare(model, name, frame) for name, frame in frames.items()]
        turns = [turn for turn in turns if turn is not None]
        if len(turns) > 1 and not any(turn.camera.probabilities_wanted for turn in turns):
            # Only now: newer frames may have come while those of other cameras were decoded.
            turns = [turn for turn in turns if not self._is_superseded(turn.camera)]
            answers = self._answer_together(model, turns) if turns else []
        else:
            answers = [
                self._answer(model, turn) for turn in turns if not self._is_superseded(turn.camera)
            ]
        answers = [answer for answer in answers if answer is not None]
        if answers:
            self._follow_rate(answers, time.monotonic() - started)

    def _prepare(self, model, name, frame):
        camera = self._cameras[name]
        try:
            prepared = camera.prepare(frame, model.segmenter)
        except SemsegError as error:
            camera.reject(error)
            return None
        return None if prepared is None else _Turn(camera, prepared)

    def _is_superseded(self, camera):
        name = camera.name
        if not self._mailbox.holds(name) or self._passed_over[name] == MAX_PASSED_OVER:
            self._passed_over[name] = 0
            return False
        self._passed_over[name] += 1
        camera.statistics.count(REPLACED)
        return True

    def _answer(self, model, turn):
        camera, prepared = turn
        try:
            segmentation = model.segmenter.segment(
                prepared.seen,
                second=prepared.second,
                probabilities=camera.probabilities_wanted,
                confidence=camera.confidence_wanted,
            )
            camera.publish(prepared, segmentation, model.segmenter.classes)
        except SemsegError as error:
            camera.reject(error)
            return None
        return _Answer(prepared, segmentation)

    def _answer_together(self, model, turns):
        try:
            images = [turn.prepared.seen for turn in turns]
            confidence = any(turn.camera.confidence_wanted for turn in turns)
            segmentations = model.segmenter.segment_batch(images, confidence=confidence)
        except SemsegError:
            return [self._answer(model, turn) for turn in turns]  # One by one: whose fault is it?
        for turn, segmentation in zip(turns, segmentations):
            turn.camera.publish(turn.prepared, segmentation, model.segmenter.classes)
        return [
            _Answer(turn.prepared, segmentation) for turn, segmentation in zip(turns, segmentations)
        ]

    def _follow_rate(self, answers, duration_s):
        frame_s = duration_s / len(answers)
        num_cameras = sum(bool(camera.wanted) for camera in self._cameras.values())
        prepared, segmentation = answers[-1]

        def try_model(model):
            try:
                trial = model.segmenter.segment(
                    prepared.seen,
                    second=prepared.second,
                    confidence=segmentation.confidence is not None,
                )
            except SemsegError:
                return float("inf")
            return frame_s + 1e-3 * (sum(trial.timing) - sum(segmentation.timing))

        self._lineup.observe(frame_s, max(1, num_cameras), try_model)
