"""Where a report goes; everywhere the same numbers, and an exit status."""

import csv
import json
import struct
from argparse import ArgumentParser

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from semseg import command_line
from semseg.commands.delivery import (
    ReportOptions,
    add_report_flags,
    check_report_options,
    deliver,
)
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.loop import evaluate
from semseg.evaluation.report import run_log


@pytest.fixture
def report(segmenter, image_of):
    frames = [Frame("a", None, image_of([[0, 1, 1]]), np.array([[0, 1, 0]], np.uint8))]
    return evaluate(segmenter, frames, source="toy val")


def _options(*flags):
    parser = ArgumentParser()
    add_report_flags(parser)
    return command_line.options(parser, ReportOptions, list(map(str, flags)))


def _scalars(folder):
    (path,) = folder.glob("events*")
    content, scalars = path.read_bytes(), {}
    while content:  # Length, its checksum, the event, its checksum.
        (length,) = struct.unpack_from("<Q", content)
        event = Event.FromString(content[12 : 12 + length])
        scalars |= {value.tag: value.simple_value for value in event.summary.value}
        content = content[16 + length :]
    return scalars


def test_everywhere_are_the_same_numbers(report, tmp_path, capsys):
    names = ("report.json", "report.html", "log.csv", "board")
    json_path, html, log, board = (tmp_path / name for name in names)
    flags = ("--report", json_path, "--html", html, "--log", log, "--tensorboard", board)
    assert deliver(report, _options(*flags)) == 0
    assert report.confusion.mean_iou == 0.5 and report.confusion.pixel_accuracy == 2 / 3
    printed = capsys.readouterr().out
    assert "mean IoU                50.0 %" in printed and "accuracy          66.7 %" in printed
    assert json.loads(json_path.read_text())["mean_iou"] == 0.5
    page = html.read_text()
    assert "<td>mean IoU</td><td>50.0 %</td>" in page
    assert "<td>pixel accuracy</td><td>66.7 %</td>" in page
    (row,) = csv.DictReader(log.open())
    assert row["mean_iou"] == "0.5" and float(row["pixel_accuracy"]) == pytest.approx(2 / 3)
    scalars = _scalars(board)
    assert scalars["evaluation/mean_iou"] == 0.5
    assert scalars["evaluation/pixel_accuracy"] == pytest.approx(2 / 3)
    assert scalars["evaluation/iou/road"] == 0.5 and "evaluation/iou/car" not in scalars


def test_nothing_is_written_unless_asked(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert deliver(report, _options()) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before, status", [(0.5, 0), (0.4, 0), (0.6, 1)])
def test_a_drop_is_status_1(report, tmp_path, capsys, before, status):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**report.to_json(), "mean_iou": before}))
    assert deliver(report, _options("--compare", other)) == status
    assert ("mean IoU dropped" in capsys.readouterr().out.splitlines()) is bool(status)


def test_a_report_that_has_not_passed_is_status_1(report):
    assert deliver(report._replace(min_mean_iou=0.9), _options()) == 1


def test_a_wrong_earlier_report_is_found_before_the_work(tmp_path):
    with pytest.raises(ConfigError, match="none.json: cannot be read"):
        check_report_options(_options("--compare", tmp_path / "none.json"))


def test_a_wrong_log_is_found_before_the_work(tmp_path):
    (tmp_path / "log.csv").write_text("a,b\n")
    with pytest.raises(ConfigError, match="log.csv: is no log of evaluations"):
        check_report_options(_options("--log", tmp_path / "log.csv"))


@pytest.mark.parametrize("flag", ["--report", "--html", "--log"])
def test_a_folder_in_place_of_a_file_is_refused_before_the_work(tmp_path, flag):
    with pytest.raises(ConfigError, match="is a folder, expected a file"):
        check_report_options(_options(flag, tmp_path))


def test_a_log_has_one_header_and_a_line_for_each_run(report, tmp_path):
    log = tmp_path / "new" / "log.csv"
    run_log.append(log, report)
    run_log.append(log, report._replace(source="toy, test", model={"path": "x.pb"}))
    rows = list(csv.DictReader(log.open()))
    assert [row["source"] for row in rows] == ["toy val", "toy, test"]
    assert [row["model"] for row in rows] == ["", "x.pb"]
    assert rows[0]["protocol"] == report.protocol and rows[0]["loss"] == ""


def test_a_file_that_is_no_log_is_left_alone(report, tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(
        ConfigError, match=r"notes.csv: is no log of evaluations: it begins with 'a,b'"
    ):
        run_log.append(path, report)
    assert path.read_text() == "a,b\n1,2\n"
