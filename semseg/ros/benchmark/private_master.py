"""A ROS master of one's own: for commands that must not meet the robot's."""

import contextlib
import os
import socket
import subprocess
import time
from typing import Iterator

import rosgraph

from semseg.errors import SemsegError, without_workspace

START_S = 30.0


@contextlib.contextmanager
def private_master() -> Iterator[str]:
    """Runs a roscore on a free port and points this process and its children at it.

    Yields:
      The master's URI.

    Raises:
      SemsegError: roscore is missing or did not start.
    """
    port = free_port()
    uri = "http://localhost:%d" % port
    former = os.environ.get("ROS_MASTER_URI")
    try:
        core = subprocess.Popen(
            ["roscore", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        raise SemsegError(without_workspace("roscore cannot be started: %s" % error))
    os.environ["ROS_MASTER_URI"] = uri
    try:
        _wait_for_master(uri)
        yield uri
    finally:
        core.terminate()
        core.wait()
        os.environ.pop("ROS_MASTER_URI")
        if former is not None:
            os.environ["ROS_MASTER_URI"] = former


def free_port() -> int:
    """Returns a TCP port that was free a moment ago."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _wait_for_master(uri):
    deadline = time.monotonic() + START_S
    while not rosgraph.is_master_online(uri):
        if time.monotonic() > deadline:
            raise SemsegError("no ROS master at %s after %d s" % (uri, START_S))
        time.sleep(0.1)
