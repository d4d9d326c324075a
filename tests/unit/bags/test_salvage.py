"""Damaged bags are read up to the damage, whatever compressed them."""

import struct

import numpy as np
import pytest
from rosbags.rosbag1 import Reader, Writer

from semseg.bags import BagReader, BagWriter, DamagedBagError

STAMP = 1_500_000_000_123_456_789
COUNT = 40


def image(index):
    """An image that neither bz2 nor lz4 makes much smaller, so that a bag has several chunks."""
    return np.random.default_rng(index).integers(0, 255, (150, 200, 3), np.uint8)


def write_bag(path, compression="none"):
    """40 images of 90 kB in chunks of 1 MiB."""
    bag = BagWriter(path)
    if compression != "none":
        bag._writer.set_compression(Writer.CompressionFormat[compression.upper()])
    with bag:
        for index in range(COUNT):
            bag.image("/image", STAMP + index, image(index), "rgb8", "camera")
    return path


def read(path):
    """Returns the stamps that can be read, counted from the first, and the damage's message."""
    stamps = []
    with BagReader(path) as reader:
        try:
            for message in reader.messages("/image"):
                np.testing.assert_array_equal(message.image(), image(len(stamps)))
                stamps.append(message.stamp_ns - STAMP)
        except DamagedBagError as error:
            return stamps, str(error)
    return stamps, None


@pytest.mark.parametrize("compression", ["none", "bz2", "lz4"])
def test_a_cut_bag_is_read_up_to_the_cut(tmp_path, compression):
    path = write_bag(tmp_path / "x.bag", compression)
    assert read(path) == (list(range(COUNT)), None)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    stamps, damage = read(path)
    assert stamps == list(range(len(stamps)))
    # Of the chunk that was cut bz2 gives whole blocks of 900 kB, lz4 of 64 kB.
    assert (12 if compression == "bz2" else 22) <= len(stamps) <= 24
    assert "readable up to byte" in damage and f"of {len(whole) * 6 // 10}" in damage
    assert f"`rosbag reindex {path}` may repair it" in damage


def test_a_cut_index_loses_no_message(tmp_path):
    path = write_bag(tmp_path / "x.bag")
    path.write_bytes(path.read_bytes()[:-1])
    stamps, damage = read(path)
    assert stamps == list(range(COUNT))
    assert "is damaged or was never closed" in damage


def test_the_count_of_a_cut_bag_is_that_of_its_readable_images(tmp_path):
    path = write_bag(tmp_path / "x.bag")
    path.write_bytes(path.read_bytes()[: 90_000 * 20])
    with BagReader(path) as reader:
        assert reader.topics == {"/image": "sensor_msgs/Image"}
        assert reader.count("/image") == len(read(path)[0]) == 19


def test_the_last_chunk_of_a_killed_recorder_is_read(tmp_path):
    """Its header says length 0, which the recorder corrects when the chunk is full."""
    path = write_bag(tmp_path / "x.bag")
    whole = path.read_bytes()
    with Reader(path) as reader:
        places = sorted(reader.chunks.values(), key=lambda chunk: chunk.datapos)
    last = places[-1]
    # As `rosbag record` leaves it: no index position either, and nothing behind the chunk.
    killed = bytearray(whole[: last.datapos + last.datasize])
    killed[last.datapos - 4 : last.datapos] = struct.pack("<L", 0)
    position = killed.index(b"index_pos=") + len(b"index_pos=")
    killed[position : position + 8] = bytes(8)
    path.write_bytes(killed)
    stamps, damage = read(path)
    assert stamps == list(range(COUNT))
    assert "not indexed" in damage


@pytest.mark.parametrize("compression", ["none", "bz2", "lz4"])
def test_damage_in_the_middle_of_an_indexed_bag_ends_the_reading(tmp_path, compression):
    path = write_bag(tmp_path / "x.bag", compression)
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 100_000] = bytes(100_000)
    path.write_bytes(damaged)
    with BagReader(path) as reader, pytest.raises(DamagedBagError, match="is damaged"):
        for number, message in enumerate(reader.messages("/image")):
            assert message.stamp_ns == STAMP + number
    assert number >= 10
