"""Exit codes, one-line errors and sizes; the error texts with their suggestions."""

import argparse
import errno
from typing import NamedTuple, Optional

import pytest

from semseg import command_line
from semseg.errors import ConfigError, DatasetError, unknown_name
from semseg.resources import shipped_file


def exit_status(main):
    with pytest.raises(SystemExit) as caught:
        command_line.run(main)
    return caught.value.code


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize("returned, status", [(None, 0), (0, 0), (1, 1)])
def test_the_status_is_what_main_returns(returned, status):
    assert exit_status(lambda: returned) == status


def test_a_users_mistake_is_one_line_and_status_2(capsys):
    assert exit_status(raising(DatasetError("no images in\n/data"))) == 2
    assert capsys.readouterr().err == "error: no images in /data\n"


def test_a_file_that_cannot_be_opened_is_one_line_and_status_2(capsys, tmp_path):
    path = tmp_path / "missing" / "report.json"
    assert exit_status(lambda: path.write_text("{}")) == 2
    assert capsys.readouterr().err == f"error: {path}: No such file or directory\n"


def test_a_full_disk_is_one_line_and_status_2(capsys):
    assert exit_status(raising(OSError(errno.ENOSPC, "full"))) == 2
    assert capsys.readouterr().err == "error: No space left on device\n"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        command_line.run(lambda: 1 // 0)
    with pytest.raises(OSError, match="not from the system"):
        command_line.run(raising(OSError("not from the system")))


def test_interrupted(capsys):
    assert exit_status(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_help_ends_with_the_example(capsys):
    with pytest.raises(SystemExit) as caught:
        command_line.parser("Does it.", "scripts/it.py --size 2x3").parse_args(["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.endswith("example:\n  scripts/it.py --size 2x3\n")


def test_a_wrong_flag_is_one_line_and_status_2(capsys):
    parser = command_line.parser("Does it.", "it")
    parser.prog = "it.py"
    parser.add_argument("--size", type=command_line.size)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--size", "2"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: argument --size: a size is HEIGHTxWIDTH")
    assert error.endswith("(it.py --help lists the flags)\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("text", ["256x512", "256X512"])
def test_sizes_are_height_by_width(text):
    assert command_line.parse_size(text) == (256, 512)
    assert command_line.size(text) == (256, 512)


@pytest.mark.parametrize("text", ["", "256", "0x5", "-1x5", "1x2x3", "axb", "1.5x2", "²x2", None])
def test_what_is_no_size(text):
    with pytest.raises(ConfigError, match="such as 256x512"):
        command_line.parse_size(text)
    with pytest.raises(argparse.ArgumentTypeError, match="such as 256x512"):
        command_line.size(text)


def test_positive_numbers():
    assert command_line.positive(int)("3") == 3
    assert command_line.positive(float)("0.5") == 0.5


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "ten", ""])
def test_what_is_no_positive_number(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"above zero, found '{text}'"):
        command_line.positive(float)(text)


def test_an_unknown_name_lists_the_known_and_suggests_the_nearest():
    text = unknown_name("network", "unnet", ["unet", "fast_scnn"])
    assert text == ("unknown network 'unnet'; available: fast_scnn, unet (did you mean 'unet'?)")
    assert unknown_name("split", "x", []) == "unknown split 'x'; available: none"


def test_shipped_files_are_found_from_a_checkout(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    (root / "config" / "datasets").mkdir(parents=True)
    monkeypatch.setattr("semseg.resources._MODULE_FOLDER", str(root / "semseg"))
    assert shipped_file("config", "x.yaml") == str(root / "config" / "x.yaml")


def test_shipped_files_are_found_beside_an_installed_package(tmp_path, monkeypatch):
    share = tmp_path / "share" / "semseg"
    (share / "config" / "datasets").mkdir(parents=True)
    module = tmp_path / "lib" / "python3" / "dist-packages" / "semseg"
    monkeypatch.setattr("semseg.resources._MODULE_FOLDER", str(module))
    assert shipped_file("models") == str(share / "models")


def test_a_package_without_its_files_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("semseg.resources._MODULE_FOLDER", str(tmp_path / "semseg"))
    with pytest.raises(ConfigError, match="no config/datasets folder found above"):
        shipped_file("models")


class Inner(NamedTuple):
    model: str
    size: Optional[tuple] = None


class Outer(NamedTuple):
    inner: Inner
    frames: int


def test_a_command_line_becomes_a_typed_record():
    parser = command_line.parser("Does it.", "scripts/it.py")
    parser.add_argument("--model")
    parser.add_argument("--size", type=command_line.size)
    parser.add_argument("--frames", type=int, default=3)
    arguments = ["--model", "x.pb", "--size", "2x3"]
    assert command_line.options(parser, Outer, arguments) == Outer(Inner("x.pb", (2, 3)), 3)
