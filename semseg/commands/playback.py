"""Plays a bag through the running node, by ``launch/evaluate_bag.launch`` or what includes it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from semseg.commands.launch_log import last_words
from semseg.errors import SemsegError, without_workspace


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
    try:
        launch = subprocess.Popen(command, stdout=log, stderr=log)
    except FileNotFoundError:
        raise SemsegError(without_workspace("roslaunch is not on the path"))
    try:
        launch.wait(patience_s)
    except subprocess.TimeoutExpired:
        raise SemsegError(f"{command[4]} did not end in {patience_s:.0f} s; its log is {log.name}")
    finally:
        launch.terminate()  # Its nodes are in sessions of their own: only it can end them.
        launch.wait()


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
