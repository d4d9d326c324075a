"""Output destroys nothing, and files are whole or not there. Python 3.6 syntax."""

import os

import cv2
import numpy as np
import pytest

from semseg.errors import ConfigError, OutputError
from semseg.files import (
    check_writable,
    new_folder,
    partial_file,
    partial_path,
    write_file,
    write_png,
)


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    assert new_folder(tmp_path / "a" / "b", force=False).is_dir()
    assert new_folder(tmp_path / "a" / "b", force=False).is_dir()  # Still empty.


def test_a_folder_with_files_needs_force(tmp_path):
    (tmp_path / "old.png").write_bytes(b"old")
    with pytest.raises(ConfigError, match="holds files already.*--force"):
        new_folder(tmp_path, force=False)
    assert new_folder(tmp_path, force=True) == tmp_path
    assert (tmp_path / "old.png").read_bytes() == b"old"


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_no_folder(tmp_path, force):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="is a file"):
        new_folder(tmp_path / "file", force)


def test_a_written_file_replaces_the_former_whole(tmp_path):
    write_file(tmp_path / "a" / "x.json", b"first")
    write_file(tmp_path / "a" / "x.json", b"second")
    assert [path.read_bytes() for path in (tmp_path / "a").iterdir()] == [b"second"]


def test_what_cannot_be_written_is_said_before_the_work(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "new" / "folder" / "x.json")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ConfigError, match="is a folder, expected a file"):
        check_writable(tmp_path)
    with pytest.raises(ConfigError, match="file is no folder that can be written to"):
        check_writable(tmp_path / "file" / "x.json")


@pytest.mark.parametrize("durable", [False, True])
def test_an_interrupted_file_leaves_the_former_one(tmp_path, durable):
    path = tmp_path / "x.json"
    write_file(path, b"first", durable)
    with pytest.raises(KeyboardInterrupt), partial_file(path, durable) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"first"]


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path):
    (tmp_path / "x.json.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="x.json: cannot be written: No space left on device"):
        write_file(tmp_path / "x.json", b"content")
    assert not os.listdir(str(tmp_path))


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file/x.png: cannot be written: "):
        write_png(tmp_path / "file" / "x.png", np.zeros((4, 4, 3), np.uint8))


def test_a_durable_file_makes_no_folder(tmp_path):
    with pytest.raises(OutputError, match="gone/x: cannot be written: No such file"):
        write_file(tmp_path / "gone" / "x", b"", durable=True)


def test_a_path_beside_may_keep_its_suffix(tmp_path):
    with partial_path(tmp_path / "a.b.mp4", before_suffix=True) as beside:
        assert beside == str(tmp_path / "a.b.partial.mp4")
        with open(beside, "wb") as file:
            file.write(b"video")
    assert (tmp_path / "a.b.mp4").read_bytes() == b"video"


@pytest.mark.parametrize("compression", [None, 1])
def test_png_files_keep_rgb(tmp_path, compression):
    pixels = np.random.RandomState(0).randint(0, 256, (3, 5, 3)).astype(np.uint8)
    write_png(tmp_path / "x.png", pixels, compression)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "x.png"))[..., ::-1], pixels)
