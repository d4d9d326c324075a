"""Labels images or a video; what becomes of the labels is the business of ``outputs``.

On request a temporal median removes what flickers for a frame or two.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized

import numpy as np
from tqdm import tqdm

from semseg.errors import ImageError
from semseg.evaluation.frames.frames import Frame, ImageSegmenter, Outcome, Unreadable
from semseg.runtime.images.view import WHOLE, Margins, View

Labelled = tuple[Frame, np.ndarray]


def median_filter(labelled: Iterable[Labelled], length: int) -> Iterator[Labelled]:
    """Gives each pixel the label that it has most often in the frames around.

    That is the median of values without an order: the one with the least summed distance, which
    is 0 for equal labels and 1 for others. A tie leaves the frame's own label.

    Args:
      labelled: frames with their labels, uint8 (H, W), in order of time; frames of another size
        have no say.
      length: how many frames have a say, odd: the frame itself and as many before as after it.
        At the ends there are fewer.

    Yields:
      The frames with their filtered labels; each comes ``length // 2`` frames late.
    """
    reach = length // 2
    window: deque[Labelled] = deque()
    position = 0  # Of the next frame to yield.
    for entry in labelled:
        window.append(entry)
        if len(window) - position > reach:
            yield _filtered(window, position)
            position += 1
        if position > reach:
            window.popleft()
            position -= 1
    while position < len(window):
        yield _filtered(window, position)
        position += 1
        if position > reach:
            window.popleft()
            position -= 1


def _filtered(window: deque[Labelled], position: int) -> Labelled:
    frame, own = window[position]
    voters = [labels for _, labels in window if labels.shape == own.shape]
    best, most = own, _votes(own, voters)
    for candidate in voters:
        votes = _votes(candidate, voters)
        better = votes > most
        best, most = np.where(better, candidate, best), np.where(better, votes, most)
    return frame, best


def _votes(candidate: np.ndarray, voters: list[np.ndarray]) -> np.ndarray:
    """Returns how many of the voters have each pixel's label, uint8 (H, W)."""
    return np.sum([candidate == labels for labels in voters], axis=0, dtype=np.uint8)


def predict(
    segmenter: ImageSegmenter,
    frames: Iterable[Frame | Unreadable],
    save: Callable[[Frame, np.ndarray], None],
    crop: Margins = WHOLE,
    median: int = 1,
) -> Outcome:
    """Labels frames.

    Args:
      segmenter: what makes the labels.
      frames: from ``semseg.evaluation.frames.sources``.
      save: called with each frame and its labels, uint8 (H, W), of the image's size.
      crop: what the segmenter is not shown, such as sky and bonnet; its labels are void.
      median: how many frames decide on a label, see ``median_filter``; 1: each for itself.

    Returns:
      How many were saved, and those that could not be read, cropped or saved.
    """
    skipped: list[Unreadable] = []
    labelled = _labelled(segmenter, frames, View(crop), skipped)
    done = 0
    for frame, labels in labelled if median == 1 else median_filter(labelled, median):
        try:
            save(frame, labels)
        except ImageError as error:
            skipped.append(Unreadable(frame.name, str(error)))
            continue
        done += 1
    return Outcome(done, skipped)


def _labelled(
    segmenter: ImageSegmenter,
    frames: Iterable[Frame | Unreadable],
    view: View,
    skipped: list[Unreadable],
) -> Iterator[tuple[Frame, np.ndarray]]:
    """Yields frames with their labels; names the others in ``skipped``."""
    total = len(frames) or None if isinstance(frames, Sized) else None
    for frame in tqdm(frames, desc="predict", unit="frame", total=total):
        if isinstance(frame, Unreadable):
            skipped.append(frame)
            continue
        try:
            yield frame, _segment_seen(segmenter, frame.image, view)
        except ImageError as error:
            skipped.append(Unreadable(frame.name, str(error)))


def _segment_seen(segmenter: ImageSegmenter, image: np.ndarray, view: View) -> np.ndarray:
    placement = view.placed((image.shape[0], image.shape[1]))
    labels = segmenter.segment(placement.apply(image), confidence=False).labels
    return placement.restore_labels(labels)
