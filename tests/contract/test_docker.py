"""The Dockerfiles say nothing that the set-up script, which is run, does not know."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted(ROOT.glob("docker/*.Dockerfile"))
SET_UP = (ROOT / "tools/set_up").read_text()


def instructions(path):
    """Returns (instruction, arguments) of a Dockerfile, continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", ["train", "noetic"])
def test_what_the_images_run_is_the_set_up_script(name):
    commands = [
        shlex.split(text)
        for instruction, text in instructions(ROOT / f"docker/{name}.Dockerfile")
        if instruction == "RUN"
    ]
    assert all(command[0] == "tools/set_up" for command in commands)
    steps = [step for command in commands for step in command[1:]]
    assert steps == re.search(r"set -- ([a-z ]+)", SET_UP).group(1).split()


@pytest.mark.parametrize(
    "name, base, system",
    [
        ("train", "debian:12-slim", "debian-12)"),
        ("noetic", "ros:noetic-ros-base-focal", "ubuntu-20.04)"),
    ],
)
def test_the_base_images_are_what_the_set_up_script_accepts(name, base, system):
    assert ("FROM", base) in instructions(ROOT / f"docker/{name}.Dockerfile")
    assert system in SET_UP


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_what_is_copied_and_installed_exists(path):
    for instruction, text in instructions(path):
        if instruction == "COPY":
            assert all((ROOT / source).exists() for source in text.split()[:-1]), text
        for requirement in re.findall(r"requirements/\S+\.txt", text):
            assert (ROOT / requirement).exists(), requirement


def test_the_jetson_has_the_tensorflow_that_the_robot_tests_have():
    version = re.search(r"tensorflow==(\S+)", (ROOT / "requirements/robot.txt").read_text()).group(
        1
    )
    jetson = (ROOT / "requirements/jetson.txt").read_text()
    assert f"/tensorflow-{version}+nv22.1-cp36-cp36m-linux_aarch64.whl" in jetson


def test_each_file_of_the_context_that_set_up_makes_is_left_out():
    ignored = set((ROOT / ".dockerignore").read_text().split("\n"))
    assert {".venv*", ".setup", ".catkin_ws", ".git", "runs"} <= ignored
