"""Class-mix: pixels of some classes of one sample, pasted over another one.

Olsson et al., ClassMix (WACV 2021), section 3.2, here with true labels for both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.data.soft_labels import CELL


class Paste(NamedTuple):
    """What is pasted where.

    Attributes:
      target: index of the sample that is pasted over.
      donor: index of the sample that the pixels are from.
      mask: bool (h, w), the pixels.
    """

    target: int
    donor: int
    mask: np.ndarray


def draw_pastes(
    labels: np.ndarray, datasets: np.ndarray, rng: np.random.Generator, probability: float
) -> list[Paste]:
    """Draws which samples of a batch are pasted over, and half of the classes of the donor.

    Args:
      labels: uint8 (B, h, w).
      datasets: int (B,); a donor is of its target's dataset, whose labels mean the same.
      rng: where the random numbers come from.
      probability: share of the samples that are pasted over.

    Returns:
      The pastes, at most one for each sample.
    """
    pastes = []
    for target in np.flatnonzero(rng.random(len(labels)) < probability):
        donors = np.flatnonzero(datasets == datasets[target])
        donors = donors[donors != target]
        if len(donors):
            donor = int(rng.choice(donors))
            pastes.append(Paste(int(target), donor, _half_of_the_classes(labels[donor], rng)))
    return pastes


def paste(pixels: np.ndarray, pastes: Sequence[Paste]) -> np.ndarray:
    """Returns a copy of a batch with the pastes; donors give what they had before any of them.

    Args:
      pixels: uint8 or float32 (B, h, w) or (B, h, w, channels).
      pastes: what ``draw_pastes`` drew.
    """
    pasted = pixels.copy()
    for target, donor, mask in pastes:
        cv2.copyTo(pixels[donor], mask.view(np.uint8), pasted[target])
    return pasted


def paste_cells(soft_labels: np.ndarray, pastes: Sequence[Paste]) -> np.ndarray:
    """Pastes soft labels as ``paste`` does pixels.

    Args:
      soft_labels: uint8 (B, ceil(h / 2), ceil(w / 2), C), of every second pixel of each axis.
      pastes: what ``draw_pastes`` drew.
    """
    pasted = soft_labels.copy()
    for target, donor, mask in pastes:
        cells = mask[::CELL, ::CELL, np.newaxis]
        np.copyto(pasted[target], soft_labels[donor], where=cells)
    return pasted


def _half_of_the_classes(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=IGNORE + 1)[:IGNORE])
    chosen = np.zeros(IGNORE + 1, bool)
    chosen[rng.permutation(present)[: (len(present) + 1) // 2]] = True
    return chosen[labels]
