"""Engines: what is refused, with which words."""

import subprocess
import sys

import pytest

from semseg.errors import EngineError
from semseg.runtime import Segmenter, engines
from semseg.runtime.engines import ENGINES


def test_int8_is_refused_on_a_jetson_tx2(color_model, monkeypatch):
    monkeypatch.setattr(engines, "is_jetson_tx2", lambda: True)
    for name in ("litert", "auto"):
        with pytest.raises(EngineError, match="int8 is refused on a Jetson TX2: its GPU"):
            Segmenter.load(color_model(), engine=name, precision="int8")


@pytest.mark.parametrize("fraction", [0, -0.5, 1.5])
def test_gpu_memory_fraction_is_a_share(color_model, fraction):
    with pytest.raises(EngineError, match="gpu_memory_fraction is above 0 to 1, found"):
        Segmenter.load(color_model(), gpu_memory_fraction=fraction)


@pytest.mark.skipif(not ENGINES["tensorflow"].installed, reason="TensorFlow is not installed")
def test_tensorflow_gets_its_options(color_model):
    from semseg.runtime.engines import tensorflow as module

    options = engines.EngineOptions(threads=2, gpu_memory_fraction=0.25)
    config = module._session_config(options)
    assert config.intra_op_parallelism_threads == 2
    assert config.gpu_options.allow_growth
    assert config.gpu_options.per_process_gpu_memory_fraction == 0.25
    with Segmenter.load(color_model(), engine="tensorflow", gpu_memory_fraction=0.25) as segmenter:
        assert segmenter.engine == "tensorflow"


@pytest.mark.skipif(not ENGINES["tensorflow"].installed, reason="TensorFlow is not installed")
def test_tensorflow_without_tensorrt_says_so(color_model):
    pattern = "cannot use TensorRT here .*; take engine 'tensorflow', or a TensorFlow that is built"
    with pytest.raises(EngineError, match=pattern):
        Segmenter.load(color_model(), engine="tensorflow_tensorrt", precision="float16")


def test_auto_never_takes_minutes_to_build(monkeypatch):
    automatic = [name for name, entry in ENGINES.items() if entry.automatic]
    assert automatic == ["openvino", "litert", "onnxruntime", "tensorflow"]


def test_engine_that_cannot_be_imported(color_model, monkeypatch):
    entry = ENGINES["openvino"]._replace(package="json")
    monkeypatch.setitem(ENGINES, "openvino", entry)

    def broken(name):
        raise ImportError("libnothing.so: cannot open shared object file")

    monkeypatch.setattr(engines.importlib, "import_module", broken)
    with pytest.raises(EngineError, match="'openvino' cannot be imported: libnothing.so"):
        Segmenter.load(color_model(), engine="openvino")


SIGNAL_AFTER_TWO_MODELS = """
import os, signal, sys
from semseg.runtime import Segmenter

signal.signal(signal.SIGTERM, lambda number, frame: print("handled"))
models = [Segmenter.load(sys.argv[1], engine="openvino") for _ in range(2)]
while models:
    models.pop(0).close()
os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.skipif(not ENGINES["openvino"].installed, reason="OpenVINO is not installed")
def test_signals_are_handled_after_two_models_were_closed_in_turn(color_model):
    command = [sys.executable, "-c", SIGNAL_AFTER_TWO_MODELS, color_model()]
    assert subprocess.check_output(command, timeout=120) == b"handled\n"
