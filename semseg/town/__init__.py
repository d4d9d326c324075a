"""The synthetic town: an endless supply of labelled street scenes, with depth and in stereo.

``frame`` gives any frame of the splits by number, ``right_frame`` the other eye's, ``drive`` a
video. See ``render`` for how a
frame comes about.
"""

from semseg.town.drives import BASELINE, SPLITS, Frame, drive, frame, right_frame
from semseg.town.labels import TOWN_CLASSES

__all__ = [
    "BASELINE",
    "SPLITS",
    "TOWN_CLASSES",
    "Frame",
    "drive",
    "frame",
    "right_frame",
]
