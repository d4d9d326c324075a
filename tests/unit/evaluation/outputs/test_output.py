"""Output destroys nothing."""

import pytest

from semseg.errors import ConfigError
from semseg.evaluation.outputs.output import check_writable, new_folder, write_file


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
