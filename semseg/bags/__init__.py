"""Bags of camera images and labels: ROS 1 read and written, ROS 2 read, without ROS."""

from semseg.bags.messages import BagMessage, Channel, RawMessage
from semseg.bags.reading import BagReader, DamagedBagError
from semseg.bags.writing import COMPRESSIONS, BagWriter

__all__ = [
    "COMPRESSIONS",
    "BagMessage",
    "BagReader",
    "BagWriter",
    "Channel",
    "DamagedBagError",
    "RawMessage",
]
