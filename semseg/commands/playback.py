"""Plays a bag through the running node, by ``launch/evaluate_bag.launch`` or what includes it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from semseg.commands.launch_log import last_words, went_on_alone
from semseg.errors import SemsegError, without_workspace

POLL_S = 0.2
END_S = 30.0
"""How long roslaunch may take to end its nodes, which end in 2 seconds; then all are killed."""


def play_through_node(
    launch_file: str,
    arguments: Mapping[str, object],
    frames: int,
    log_path: Path,
    patience_s: float,
) -> dict[str, Any]:
    """Runs a launch file that ends by itself and leaves a report.

    It has a ROS master of its own, so that it never meets a robot's.

    Args:
      launch_file: name of a launch file of this package.
      arguments: those of the launch file; ``report`` is the path of the JSON file.
      frames: number of images in the bag; the report has passed only if all were sent.
      log_path: file for all that the launch prints.
      patience_s: seconds after which it is ended.

    Returns:
      The evaluator's report, with ``recorded``, the number of images in the bag.

    Raises:
      SemsegError: ROS is not there, or the launch did not come to its end.
    """
    report_path = Path(str(arguments["report"]))
    report_path.unlink(missing_ok=True)
    command = ["roslaunch", "-p", str(_free_port()), "semseg", launch_file]
    command += [f"{name}:={value}" for name, value in arguments.items()]
    sys.stderr.write("playing the bag through the node ...\n")
    with log_path.open("w") as log:
        _run(command, log, patience_s)
    if not report_path.exists():
        raise SemsegError(f"{launch_file} {_reason(log_path)}; its log is {log_path}")
    report = json.loads(report_path.read_text())
    report.update(passed=report["passed"] and report["sent"] == frames, recorded=frames)
    report_path.write_text(json.dumps(report, indent=2))
    return report


def summary(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what people read of an evaluator's report: names and texts, in order."""
    drops = ", ".join(f"{name} {count}" for name, count in report["drops"].items() if count)
    rate, bar = report["rate_hz"], report["max_latency_ms"]
    rows = [
        ("model", report["model"]),
        ("frames sent", f"{report['sent']} of {report['recorded']}"),
        ("segmented", f"{report['segmented']}"),
        ("dropped", f"{report['skipped']}" + (f" ({drops})" if drops else "")),
        ("wrong headers", f"{len(report['header_errors'])}"),
        (
            "latency p50 / p95 / p99",
            _times(report["latency_ms"]) + (f" (p95 passes up to {bar:.0f} ms)" if bar else ""),
        ),
        ("age p50 / p95 / p99", _times(report["age_ms"])),
        ("images / labels a second", f"{_known(rate['images'])} / {_known(rate['labels'])}"),
    ]
    if report["min_mean_iou"] is not None:
        iou = f"{_known(report['mean_iou'], 4)} (passes from {report['min_mean_iou']})"
        rows.append(("mean IoU", iou))
    return [*rows, ("verdict", "passed" if report["passed"] else "FAILED")]


def table(report: Mapping[str, Any]) -> str:
    """Returns the summary of an evaluator's report for the terminal."""
    return "\n".join(f"{name:<30} {text}" for name, text in summary(report))


def _times(percentiles: Mapping[str, float | None]) -> str:
    return " / ".join(f"{_known(percentiles[name])} ms" for name in ("p50", "p95", "p99"))


def _known(value: float | None, digits: int = 1) -> str:
    return "none" if value is None else f"{value:.{digits}f}"


def _run(command: list[str], log: TextIO, patience_s: float) -> None:
    """Runs roslaunch to its end, or until a node died that it goes on without."""
    try:
        # In a session of its own: a Ctrl-C of the terminal is for this process, which ends it.
        launch = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=_environment(command[2])
        )
    except FileNotFoundError:
        raise SemsegError(without_workspace("roslaunch is not on the path"))
    deadline = time.monotonic() + patience_s
    with _ended_by_signals():
        try:
            while launch.poll() is None:
                if time.monotonic() > deadline:
                    raise SemsegError(
                        f"{command[4]} did not end in {patience_s:.0f} s; its log is {log.name}"
                    )
                if went_on_alone(Path(log.name).read_text(errors="replace")):
                    return
                time.sleep(POLL_S)
        finally:
            _end(launch)


def _environment(port: str) -> dict[str, str]:
    """Returns the environment, with names of this machine that need no network to be resolved."""
    own = {name: value for name, value in os.environ.items() if name != "ROS_IP"}
    return {**own, "ROS_HOSTNAME": "localhost", "ROS_MASTER_URI": f"http://localhost:{port}"}


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into an exit, so that what was started is ended first."""

    def leave(number: int, _: object) -> None:
        for each in former:  # Further ones must not interrupt the end.
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    former = {}
    if threading.current_thread() is threading.main_thread():
        former = {each: signal.signal(each, leave) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)


def _end(launch: subprocess.Popen[bytes]) -> None:
    """Ends roslaunch, and so its nodes, which are in sessions of their own."""
    if launch.poll() is not None:
        return
    nodes = _descendants(launch.pid)
    launch.terminate()
    try:
        launch.wait(END_S)
    except subprocess.TimeoutExpired:
        launch.kill()
        launch.wait()
        for node in nodes:
            with suppress(ProcessLookupError):
                os.kill(node, signal.SIGKILL)


def _descendants(parent: int) -> list[int]:
    """Returns the processes that a process started, and those that these did."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # One that has just ended.
            fields = status.read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, waiting = [], [parent]
    while waiting:
        started = children.get(waiting.pop(), [])
        found += started
        waiting += started
    return found


def _reason(log_path: Path) -> str:
    """Returns what the nodes that died said last, for the error; the whole log is a file."""
    log = log_path.read_text(errors="replace")
    if "neither a launch file in package [semseg]" in log:
        return without_workspace("is not found by roslaunch")
    said = "; ".join(last_words(log)) or "no node says why"
    if "No module named 'semseg.msg'" in said:
        said = without_workspace(said)
    return f"ended without a report: {said}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
