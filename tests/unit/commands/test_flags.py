"""What ``--model`` may be."""

import argparse
import sys
from types import SimpleNamespace

import pytest

from semseg.commands import flags
from semseg.errors import ConfigError


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    (tmp_path / "config" / "datasets").mkdir(parents=True)
    (tmp_path / "config" / "segmenter.yaml").write_text("models: {reduced: models/small.pb}\n")
    monkeypatch.setattr("semseg.resources._MODULE_FOLDER", str(tmp_path / "semseg"))
    return tmp_path


def test_a_profile_is_a_shipped_graph(package):
    assert flags.graph_path("reduced") == str(package / "models" / "small.pb")


def test_a_file_is_itself(package):
    (package / "x.pb").write_bytes(b"")
    assert flags.graph_path(str(package / "x.pb")) == str(package / "x.pb")


def test_a_folder_is_a_run_to_freeze(package, monkeypatch):
    freeze = SimpleNamespace(model_graph=lambda run: run + "/frozen.pb")
    monkeypatch.setitem(sys.modules, "semseg.training.export.freeze", freeze)
    assert flags.graph_path(str(package)) == f"{package}/frozen.pb"


def test_anything_else_names_the_profiles():
    with pytest.raises(ConfigError, match="model 'reducd'; available: reduced .did you mean"):
        flags.graph_path("reducd")


@pytest.mark.parametrize("second", [None, "right", "disparity"])
def test_the_graph_says_which_second_input_it_takes(second):
    inputs = [SimpleNamespace(name=name) for name in ("input", second) if name]
    segmenter = SimpleNamespace(graph=SimpleNamespace(inputs=inputs))
    assert flags.second_kind(segmenter) == second


def test_a_crop_is_two_or_four_numbers():
    assert flags.crop("40,0") == (40, 0, 0, 0)
    assert flags.crop("1,2,3,4") == (1, 2, 3, 4)
    for text in ("40", "1,2,3", "-1,2", "a,b"):
        with pytest.raises(argparse.ArgumentTypeError, match="TOP,BOTTOM"):
            flags.crop(text)


def test_a_run_folder_may_lie_in_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    freeze = SimpleNamespace(model_graph=lambda folder: f"{folder}/frozen/x.pb")
    monkeypatch.setitem(sys.modules, "semseg.training.export.freeze", freeze)
    assert flags.graph_path("~/run") == f"{tmp_path}/run/frozen/x.pb"
