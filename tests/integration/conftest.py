"""Runs the command lines."""

import runpy
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


class Result(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a script in this process, where TensorFlow is imported once."""

    def run(script, *flags):
        monkeypatch.setattr(sys, "argv", [f"{script}.py", *map(str, flags)])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(SCRIPTS / f"{script}.py"), run_name="__main__")
        return Result(caught.value.code, *capsys.readouterr())

    return run
