"""A recording of several files is read as one bag."""

import numpy as np
import pytest

from semseg.bags import BagReader, BagWriter, DamagedBagError
from semseg.errors import BagError


def write_bag(path, stamps, topic="/image"):
    path.parent.mkdir(exist_ok=True)
    with BagWriter(path) as bag:
        for stamp in stamps:
            bag.image(topic, stamp, np.full((2, 3, 3), stamp, np.uint8), "rgb8", "camera")
    return path


def stamps(bag, *topics):
    with BagReader(bag) as reader:
        found = [message.stamp_ns for message in reader.messages(*topics or ("/image",))]
        assert sum(map(reader.count, topics or ("/image",))) == len(found)
    return found


@pytest.fixture
def split(tmp_path):
    """A folder of a recording in eleven files, of which the last came to nothing."""
    folder = tmp_path / "my drive [1]"
    for number in range(11):
        write_bag(folder / f"x_{number}.bag", [10 * number + 1, 10 * number + 2][: 10 - number])
    return folder


WHOLE = [10 * number + digit for number in range(10) for digit in (1, 2)][:-1]


def test_a_folder_a_pattern_and_paths_are_one_bag(split, monkeypatch):
    assert stamps(split) == WHOLE
    monkeypatch.chdir(split)
    assert stamps("x_*.bag") == WHOLE
    assert stamps(sorted(split.iterdir())) == WHOLE  # x_10 before x_2.
    assert stamps(["x_3.bag", split / "x_2.bag"]) == [21, 22, 31, 32]
    with BagReader("x_*.bag") as reader:
        assert [path.name for path in reader.files] == [f"x_{each}.bag" for each in range(11)]
        assert len(reader.channels) == 1  # Of all files.


def test_recordings_side_by_side_are_merged(tmp_path):
    write_bag(tmp_path / "images.bag", [1, 4, 5], "/image")
    write_bag(tmp_path / "labels.bag", [2, 3, 6], "/labels")
    files = [tmp_path / "images.bag", tmp_path / "labels.bag"]
    assert stamps(files, "/image", "/labels") == [1, 2, 3, 4, 5, 6]


def test_the_home_folder_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_bag(tmp_path / "x.bag", [1])
    assert stamps("~/x.bag") == stamps("~/*.bag") == [1]


def test_damage_of_one_file_keeps_the_others(split):
    cut = split / "x_1.bag"
    cut.write_bytes(cut.read_bytes()[:-1])
    found = []
    with BagReader(split) as reader, pytest.raises(DamagedBagError, match="x_1.bag is damaged"):
        for message in reader.messages("/image"):
            found.append(message.stamp_ns)  # noqa: PERF401 - kept when it raises
    assert found == WHOLE
    assert reader.is_damaged


def test_what_matches_nothing_is_named(tmp_path):
    with pytest.raises(BagError, match="nothing_.*bag: no such bag"):
        BagReader(str(tmp_path / "nothing_*.bag"))
    with pytest.raises(BagError, match=r"holds neither metadata.yaml nor a bag \(.bag, .db3"):
        BagReader(tmp_path)


def test_a_bag_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    path = write_bag(tmp_path / "x.bag", [1])

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # This test may be run by root.
    with pytest.raises(BagError, match="x.bag cannot be read: Permission denied$"):
        BagReader(path)


def test_an_encrypted_bag_is_not_called_damaged(tmp_path):
    path = write_bag(tmp_path / "x.bag", [1])
    data = path.read_bytes()
    field = b"encryptor=rosbag/AesCbcEncryptor"
    end = 13 + 4 + int.from_bytes(data[13:17], "little")
    header = data[17:end] + len(field).to_bytes(4, "little") + field
    path.write_bytes(data[:13] + len(header).to_bytes(4, "little") + header + data[end:])
    with pytest.raises(BagError, match="x.bag cannot be read here: Bag encryption"):
        BagReader(path)
