import json
import subprocess
import sys

import pytest

from semseg.data.files.tfrecords import has_index, read_index, read_record, write_records
from semseg.errors import DatasetError, ImageError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shards/x.tfrecord"


def test_records_are_read_in_any_order(path):
    index = write_records(path, [("a", b"first"), "b: damaged", ("c", b""), ("d", bytes(1000))])
    assert read_index(path) == index
    assert list(index.offsets) == ["a", "c", "d"]
    assert index.failed == ["b: damaged"]
    assert [read_record(path, index.offsets[name]) for name in ("d", "a", "c")] == [
        bytes(1000),
        b"first",
        b"",
    ]


def test_what_is_broken_off_leaves_no_file(path):
    def records():
        yield "a", b"first"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_records(path, records())
    assert not list(path.parent.iterdir())


def test_the_bytes_are_tensorflows(path):
    # What tf.io.TFRecordWriter of TensorFlow 2.21 wrote for this record.
    write_records(path, [("a", b"semseg")])
    assert path.read_bytes().hex() == TENSORFLOWS


TENSORFLOWS = "06000000000000007369d53773656d736567bd33fbd6"


@pytest.mark.parametrize("position", [0, 9, 14, 20])
def test_a_damaged_byte_is_noticed(path, position):
    write_records(path, [("a", b"semseg")])
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.write_bytes(data)
    with pytest.raises(ImageError, match="x.tfrecord: (no|the) record"):
        read_record(path, 0)


def test_a_file_of_another_size_than_its_index_says_is_refused(path):
    write_records(path, [("a", b"semseg")])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetError, match="has 21 bytes, its index says 22"):
        read_index(path)


@pytest.mark.parametrize("content", [None, b"{", b"[1]", json.dumps({"size": 1}).encode()])
def test_a_missing_or_damaged_index_is_named(path, content):
    write_records(path, [("a", b"semseg")])
    index = path.with_name("x.tfrecord.json")
    if content is None:
        index.unlink()
        assert not has_index(path)
    else:
        index.write_bytes(content)
    with pytest.raises(DatasetError, match="x.tfrecord: no file with a readable index"):
        read_index(path)


def test_a_writer_that_is_killed_leaves_no_half_written_file(path):
    program = (
        "import os, sys\n"
        "from semseg.data.files.tfrecords import write_records\n"
        "def records():\n"
        "    yield 'a', bytes(100_000)\n"
        "    os.kill(os.getpid(), 9)\n"
        "write_records(sys.argv[1], records())\n"
    )
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == -9
    assert not path.exists()
    assert not has_index(path)
    write_records(path, [("a", b"whole")])
    assert read_record(path, 0) == b"whole"
    assert sorted(file.name for file in path.parent.iterdir()) == ["x.tfrecord", "x.tfrecord.json"]
