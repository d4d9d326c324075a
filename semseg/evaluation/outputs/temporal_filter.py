"""A temporal median filter of labels: what flickers for a frame or two goes away."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from semseg.evaluation.frames.frames import Frame

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
