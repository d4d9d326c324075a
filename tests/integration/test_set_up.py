"""tools/set_up and its neighbours where something is missing, foreign or was cut off.

They run in a copy of what they read, below a path with a space and a letter that is no ASCII.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OS_RELEASE = Path("/etc/os-release")
pytestmark = pytest.mark.skipif(
    not OS_RELEASE.exists() or "VERSION_CODENAME=bookworm" not in OS_RELEASE.read_text(),
    reason="no Debian 12",
)
TOOLS = (
    *("basename", "bash", "cat", "cut", "dirname", "env", "flock", "git", "grep", "head", "ln"),
    *("make", "mkdir", "nice", "nproc", "pwd", "readlink", "rm", "sed", "sha256sum", "sleep"),
    *("sort", "tail", "touch"),
)
NO_NETWORK = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_RETRIES": "0",
}


class Checkout:
    """A folder with set-up's files, and a path of commands that stand in for the system's."""

    def __init__(self, folder):
        self.folder = folder / "eine straße" / "semseg"
        self.bin = folder / "bin"
        for name in ("tools", "requirements", "msg", "srv"):
            shutil.copytree(ROOT / name, self.folder / name)
        for name in ("setup.py", "pyproject.toml", "package.xml", "CMakeLists.txt", "Makefile"):
            shutil.copy(ROOT / name, self.folder)
        self.bin.mkdir()
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        self.command("id", "echo 0")
        self.command("dpkg-query", "exit 1")  # Nothing is installed.

    def command(self, name, script):
        self.file(self.bin / name, "#!/bin/bash\n" + script)

    def file(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, *arguments, **environment):
        keep = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=self.folder,
            env={**keep, "PATH": str(self.bin), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments, **environment):
        """Returns exit status, output and errors."""
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def refused(self, *steps, **environment):
        """The one line with which set-up ends."""
        status, _, errors = self.run("tools/set_up", *steps, **environment)
        assert status == 2, errors
        assert errors.startswith("error: ") and errors.count("\n") == 1
        return errors


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_without_root_or_sudo_the_packages_are_named(checkout):
    checkout.command("id", "echo 1000")
    said = checkout.refused("system")
    assert "neither root nor sudo is at hand; as root: apt-get install catkin catkin-lint" in said


def test_a_sudo_that_refuses_is_told(checkout):
    checkout.command("id", "echo 1000")
    checkout.command("sudo", "exit 1")
    assert "sudo refuses; as root: apt-get install catkin" in checkout.refused("system")


def test_packages_without_a_network(checkout):
    checkout.command("apt-get", "echo 'E: Failed to fetch http://x/y.deb' >&2; exit 100")
    said = checkout.refused("system")
    assert "apt-get failed: E: Failed to fetch http://x/y.deb; is there a network?" in said
    assert ".setup/apt.log" in said


def test_an_installation_of_packages_that_was_cut_off_is_finished(checkout, tmp_path):
    checkout.command("dpkg", f'echo "$*" >{tmp_path}/asked')
    cut_off = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"
    checkout.command("apt-get", f'[ -e {tmp_path}/asked ] || {{ echo "{cut_off}"; exit 100; }}')
    status, output, errors = checkout.run("tools/set_up", "system")
    assert status == 0, errors
    assert "finishing an installation of packages that was cut off" in output
    assert (tmp_path / "asked").read_text() == "--configure -a\n"
    assert checkout.run("tools/set_up", "system")[1] == ""  # Once is enough.


@pytest.mark.parametrize(
    ("python", "place", "message"),
    [
        ("echo 3.6", ".", r".venv was made by Python 3.6, expected 3.11; remove it (rm -rf .venv)"),
        ("exit 1", ".", ".venv has no Python that starts"),
        ("echo 3.11", "/somewhere", ".venv was made in /somewhere/.venv, expected /"),
    ],
)
def test_a_foreign_environment_is_named_and_left(checkout, python, place, message):
    venv = checkout.folder / ".venv"
    checkout.file(venv / "bin/python", "#!/bin/bash\n" + python)
    place = checkout.folder if place == "." else place
    checkout.file(venv / "bin/activate", f'VIRTUAL_ENV="{place}/.venv"\nexport VIRTUAL_ENV\n')
    said = checkout.refused("venv")
    assert message in said and "remove it (rm -rf .venv) and run this again" in said
    assert (venv / "bin/python").exists()


def test_libraries_without_a_network(checkout):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        index = "http://127.0.0.1:%d/simple" % closed.getsockname()[1]
        said = checkout.refused("venv", PIP_INDEX_URL=index, **NO_NETWORK)
    assert "the set-up of venv failed: ERROR: No matching distribution" in said
    assert "is there a network? The whole log is .setup/venv.log" in said


def test_a_set_up_that_was_killed_is_made_anew(checkout):
    unfinished = checkout.folder / ".setup/venv.unfinished"
    with socket.socket() as silent:  # An index that takes the call and never answers.
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        index = "http://127.0.0.1:%d/simple" % silent.getsockname()[1]
        killed = checkout.start("tools/set_up", "venv", PIP_INDEX_URL=index, **NO_NETWORK)
        while not unfinished.exists():
            time.sleep(0.01)
        time.sleep(random.uniform(0, 4))
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
    (checkout.folder / ".venv").mkdir(exist_ok=True)
    (checkout.folder / ".venv/half").touch()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        index = "http://127.0.0.1:%d/simple" % closed.getsockname()[1]
        _, output, _ = checkout.run("tools/set_up", "venv", PIP_INDEX_URL=index, **NO_NETWORK)
    assert "the last set-up of .venv was cut off: it is made anew" in output
    assert not (checkout.folder / ".venv/half").exists()
    assert (checkout.folder / ".venv/bin/pip").exists()


def test_two_at_a_time_take_turns(checkout):
    checkout.command("apt-get", "sleep 1; exit 100")
    first = checkout.start("tools/set_up", "system")
    while not (checkout.folder / ".setup/apt.log").exists():
        time.sleep(0.01)
    _, output, _ = checkout.run("tools/set_up", "system")
    assert first.wait() == 2
    assert "waiting for another set-up of this checkout" in output
    first.communicate()


@pytest.mark.skipif(not shutil.which("catkin_make"), reason="no catkin is installed")
def test_the_workspace_of_a_checkout_below_a_space_is_elsewhere(checkout, tmp_path):
    """Catkin's scripts cannot run below a space."""
    (checkout.folder / ".venv").symlink_to(Path(sys.prefix))
    for name in ("semseg", "ros_nodes", "scripts", "launch", "config", "models", "rviz", "tests"):
        (checkout.folder / name).symlink_to(ROOT / name)
    path = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path / "cache")}
    status, _, errors = checkout.run("tools/set_up", "workspace", **path)
    assert status == 0, errors
    assert (checkout.folder / ".catkin_ws").resolve().parent == tmp_path / "cache"
    found = checkout.run(
        "tools/with_ros", "python", "-c", "import semseg.msg as m; print(m)", **path
    )
    assert str(tmp_path / "cache") in found[1], found[2]
    assert checkout.run("tools/set_up", "workspace", **path)[1] == ""
    assert checkout.run("tools/set_up", "clean", **path)[0] == 0
    assert not list((tmp_path / "cache").iterdir())
    assert not (checkout.folder / ".setup").exists()


STAGES = {"tools/set_up": 0, "tools/with_ros": 0, "tools/run_rostests": 0}


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ((), None),
        (("tools/set_up",), "set-up of the robot's Python and JAX"),
        (("tools/run_rostests",), "rostests"),
        (("lint", "tools/with_ros"), "lint, pytest"),
    ],
)
def test_every_stage_runs_and_those_that_failed_are_named(checkout, broken, named):
    for name in STAGES:
        script = f"#!/bin/bash\necho ran {name} $*\nexit {int(name in broken)}\n"
        checkout.file(checkout.folder / name, script)
    lint = "false" if "lint" in broken else "true"
    (checkout.folder / "Makefile").write_text(f"lint:\n\t@echo ran lint; {lint}\n")
    (checkout.folder / ".setup").mkdir()
    status, output, errors = checkout.run("tools/run_tests")
    assert status == (1 if named else 0)
    for stage in (*STAGES, "lint"):
        assert f"ran {stage}" in output
    assert (f"FAILED: {named}\n" in errors) if named else ("all stages passed" in output)


@pytest.mark.parametrize(
    ("user", "reason"), [(1000, "expected root"), (0, "debootstrap is not installed")]
)
def test_a_fresh_machine_is_skipped_by_name(checkout, user, reason):
    checkout.command("id", f"echo {user}")
    status, _, errors = checkout.run("tools/fresh_machine", "make", "demo")
    assert (status, errors.count("\n")) == (0, 1)
    assert errors.startswith("skipped: tools/fresh_machine make demo: ") and reason in errors
