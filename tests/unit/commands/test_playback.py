"""Launches that end by themselves, with a stand-in for roslaunch; the real one is tests/ros."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semseg.commands.playback import play_through_node, table
from semseg.errors import SemsegError

REPORT = {
    "model": "x.pb",
    "passed": True,
    "sent": 10,
    "segmented": 7,
    "skipped": 3,
    "drops": {"replaced": 2, "malformed": 0, "unexplained": 1},
    "header_errors": [],
    "latency_ms": {"p50": 10.5, "p95": 20.0, "p99": None},
    "max_latency_ms": 200.0,
    "age_ms": {"p50": 110.0, "p95": 210.0, "p99": 300.0},
    "rate_hz": {"images": 10.0, "labels": 7.04},
    "mean_iou": None,
    "min_mean_iou": 0.59,
}


@pytest.fixture
def roslaunch(tmp_path, monkeypatch):
    """Puts a shell script on the path that is called as roslaunch would be."""

    def install(script):
        path = tmp_path / "bin" / "roslaunch"
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return install


def play(tmp_path, frames=10, patience_s=60.0):
    arguments = {"report": tmp_path / "report.json", "bag": "x.bag"}
    return play_through_node("x.launch", arguments, frames, tmp_path / "log", patience_s)


def writing(tmp_path):
    (tmp_path / "written.json").write_text(json.dumps(REPORT))
    return f'echo "$@"\ncp {tmp_path}/written.json {tmp_path}/report.json\n'


@pytest.mark.parametrize("frames, passed", [(10, True), (11, False)])
def test_a_report_passes_only_if_all_images_were_sent(tmp_path, roslaunch, frames, passed):
    roslaunch(writing(tmp_path))
    report = play(tmp_path, frames)
    assert (report["passed"], report["recorded"]) == (passed, frames)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    words = (tmp_path / "log").read_text().split()
    assert words[0] == "-p" and words[2:4] == ["semseg", "x.launch"]
    assert words[4:] == [f"report:={tmp_path}/report.json", "bag:=x.bag"]


def test_a_launch_without_a_report_says_what_the_node_said(tmp_path, roslaunch):
    (tmp_path / "report.json").write_text("of the last time")
    roslaunch("echo '[FATAL] [1600.5]: nobody publishes /camera/labels'\n")
    expected = "x.launch ended without a report: nobody publishes /camera/labels; its log is"
    with pytest.raises(SemsegError, match=expected):
        play(tmp_path)


def test_a_launch_that_does_not_end_is_ended(tmp_path, roslaunch):
    roslaunch("exec sleep 100\n")
    with pytest.raises(SemsegError, match="x.launch did not end in 1 s; its log is"):
        play(tmp_path, patience_s=1.0)


def test_a_node_that_dies_is_seen_at_once_and_its_last_line_is_said(tmp_path, roslaunch):
    (tmp_path / "player-3-stdout.log").write_text("Error opening file: x.bag\n")
    roslaunch(
        "echo 'process[player-3]: started with pid [7]'\n"
        "printf '\\033[31m[player-3] process has died [pid 7, exit code 1, cmd play].\\n'\n"
        f"printf 'log file: {tmp_path}/player-3*.log\\033[0m\\n'\n"
        "exec sleep 100\n"
    )
    started = time.monotonic()
    expected = "x.launch ended without a report: player: Error opening file: x.bag; its log is"
    with pytest.raises(SemsegError, match=expected):
        play(tmp_path, patience_s=60.0)
    assert time.monotonic() - started < 10  # It polls five times a second; the rest is load.


PLAYING = """
import sys
from pathlib import Path
from semseg import command_line
from semseg.commands.playback import play_through_node
folder = Path(sys.argv[1])
arguments = {"report": folder / "report.json"}
command_line.run(lambda: play_through_node("x.launch", arguments, 1, folder / "log", 60.0))
"""


@pytest.mark.parametrize(
    "number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_signals_end_what_was_started(tmp_path, roslaunch, number, status):
    roslaunch(
        f"trap 'echo ended >{tmp_path}/ended; kill $!; exit' TERM\nsleep 100 &\n"
        f"echo $$ >{tmp_path}/started; wait\n"
    )
    playing = subprocess.Popen([sys.executable, "-c", PLAYING, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    playing.send_signal(number)
    assert playing.wait(30) == status
    assert (tmp_path / "ended").exists()
    assert not Path("/proc", (tmp_path / "started").read_text().strip()).exists()


def test_names_of_this_machine_need_no_network(tmp_path, roslaunch, monkeypatch):
    monkeypatch.setenv("ROS_HOSTNAME", "nowhere.invalid")
    monkeypatch.setenv("ROS_IP", "192.0.2.1")
    roslaunch(
        f'echo "$ROS_HOSTNAME $ROS_IP $ROS_MASTER_URI" >{tmp_path}/names\n' + writing(tmp_path)
    )
    play(tmp_path)
    assert re.fullmatch(r"localhost  http://localhost:\d+\n", (tmp_path / "names").read_text())


def test_without_ros_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SemsegError, match="roslaunch is not on the path.*`make setup` builds"):
        play(tmp_path)


def test_without_the_workspace_it_says_what_to_do(tmp_path, roslaunch):
    roslaunch("echo 'RLException: [x.launch] is neither a launch file in package [semseg] nor'\n")
    with pytest.raises(SemsegError, match="x.launch is not found by roslaunch: .*`make setup`"):
        play(tmp_path)


def test_a_node_without_the_messages_names_the_workspace(tmp_path, roslaunch):
    roslaunch("echo \"[FATAL] [1.5]: No module named 'semseg.msg'\"\n")
    with pytest.raises(SemsegError, match="No module named 'semseg.msg': .*`make setup` builds"):
        play(tmp_path)


def rows(report):
    return {line[:30].strip(): line[31:] for line in table(report).splitlines()}


def test_the_table_names_drops_ages_rates_and_verdict():
    found = rows(dict(REPORT, recorded=11, passed=False))
    assert found["frames sent"] == "10 of 11"
    assert found["dropped"] == "3 (replaced 2, unexplained 1)"
    latency = "10.5 ms / 20.0 ms / none ms (p95 passes up to 200 ms)"
    assert found["latency p50 / p95 / p99"] == latency
    assert found["age p50 / p95 / p99"] == "110.0 ms / 210.0 ms / 300.0 ms"
    assert found["images / labels a second"] == "10.0 / 7.0"
    assert found["mean IoU"] == "none (passes from 0.59)"
    assert found["verdict"] == "FAILED"


def test_without_true_labels_there_is_no_mean_iou():
    assert "mean IoU" not in rows(dict(REPORT, recorded=10, min_mean_iou=None))
