"""The synthetic town: an endless supply of labelled street scenes, with depth.

``frame`` gives any frame of the splits by number, ``drive`` a video. See ``render`` for how a
frame comes about.
"""

from semseg.town.drives import SPLITS, Frame, drive, frame
from semseg.town.labels import TOWN_CLASSES

__all__ = ["SPLITS", "TOWN_CLASSES", "Frame", "drive", "frame"]
