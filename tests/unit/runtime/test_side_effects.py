"""Engines leave no files in the home folder and open no connections, but for TensorFlow.

Each runs in a process of its own, watched by Python's audit events.
"""

import json
import subprocess
import sys

import pytest

from semseg.profiles import model_path, shipped_profiles
from semseg.runtime.engines import ENGINES

WATCHED = """
import json, os, sys
events = []
def watch(name, arguments):
    if name in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        events.append([name, str(arguments[-1])])
    writes = name == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if (writes or name in ("os.mkdir", "os.rename")) and arguments[0] not in ("/dev/null", -1):
        if isinstance(arguments[0], (str, bytes)):
            events.append([name, str(arguments[0])])
    if name in ("subprocess.Popen", "os.system", "os.posix_spawn"):
        events.append([name, str(arguments[0])])
sys.addaudithook(watch)
sys.dont_write_bytecode = True
import time
import numpy as np
from semseg.runtime import Segmenter
with Segmenter.load(sys.argv[1], engine=sys.argv[2]) as segmenter:
    segmenter.segment(np.zeros((40, 60, 3), np.uint8))
time.sleep(1)  # What is sent in the background is sent by now.
print(json.dumps(events))
"""
# The two TensorFlow ones share a package; the second needs a GPU.
INSTALLED = [name for name, entry in ENGINES.items() if entry.installed and entry.automatic]
WRITES = {
    "tensorflow": "importing TensorFlow imports Keras, which makes ~/.keras, and where Matplotlib"
    " is installed that, which makes ~/.cache/matplotlib and ~/.config/matplotlib"
}


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.skip(reason=WRITES[name])) if name in WRITES else name
        for name in INSTALLED
    ],
)
def test_an_engine_writes_nothing_and_calls_nobody(tmp_path, monkeypatch, engine):
    for name in ("CI", "TF_BUILD", "JENKINS_URL"):  # Where OpenVINO is silent anyway.
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    monkeypatch.setenv("HOME", str(home))
    graph = model_path("reduced", shipped_profiles())
    command = [sys.executable, "-c", WATCHED, graph, engine]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if "EngineError" in ended.stderr:
        pytest.skip(ended.stderr.splitlines()[-1])
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert json.loads(ended.stdout.splitlines()[-1]) == []
    assert list(home.rglob("*")) == []
