"""TensorRT engines: what their place depends on, and that a node never builds one."""

import logging

import pytest

from semseg.errors import EngineError
from semseg.runtime.engines import EngineOptions, tensorrt_cache
from semseg.runtime.graph.frozen_graph import read_frozen_graph

HERE = {"tensorrt_version": lambda: "8201", "gpu_name": lambda: "NVIDIA Jetson TX2"}


@pytest.fixture
def machine(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in HERE.items():
        monkeypatch.setattr(tensorrt_cache, name, value)


def test_the_place_depends_on_all_that_an_engine_does(machine, monkeypatch):
    asked = ("a" * 64, "float32", (256, 512))
    folder = tensorrt_cache.engine_folder(*asked)
    assert folder == tensorrt_cache.engine_folder(*asked)
    others = [("b" * 64,) + asked[1:], asked[:1] + ("float16",) + asked[2:], asked[:2] + (None,)]
    folders = {folder} | {tensorrt_cache.engine_folder(*other) for other in others}
    for name in HERE:
        with monkeypatch.context() as patch:
            patch.setattr(tensorrt_cache, name, lambda: "another")
            folders.add(tensorrt_cache.engine_folder(*asked))
    assert len(folders) == 6


def test_only_a_build_that_ended_counts(tmp_path):
    assert not tensorrt_cache.is_complete(str(tmp_path))
    tensorrt_cache.mark_complete(str(tmp_path))
    assert tensorrt_cache.is_complete(str(tmp_path))


def test_this_machine_is_described_without_a_gpu():
    assert isinstance(tensorrt_cache.tensorrt_version(), str)
    assert isinstance(tensorrt_cache.gpu_name(), str)


@pytest.fixture
def module():
    pytest.importorskip("onnxruntime")
    from semseg.runtime.engines import onnxruntime

    return onnxruntime


def test_providers_in_their_order(machine, module, color_model, caplog):
    graph = read_frozen_graph(color_model())
    available = [module.CPU, module.CUDA, module.TENSORRT]
    options = EngineOptions(size=(48, 96))
    assert module.choose_providers(graph, options, available[:1]) == [module.CPU]
    assert module.choose_providers(graph, options, available) == [module.CUDA, module.CPU]
    command = "scripts/build_engine.py --model %s --precision float32 --size 48x96" % graph.path
    assert command in caplog.records[-1].getMessage()
    assert caplog.records[-1].levelno == logging.WARNING
    built = module.choose_providers(graph, options._replace(build=True), available)
    assert [name for name, _ in built[:1]] + built[1:] == [
        module.TENSORRT, module.CUDA, module.CPU
    ]  # fmt: skip
    folder = tensorrt_cache.engine_folder(graph.digest, "float32", (48, 96))
    assert built[0][1]["trt_engine_cache_path"] == folder
    assert built[0][1]["trt_fp16_enable"] is False


def test_an_engine_that_was_built_is_used(machine, module, color_model, tmp_path, monkeypatch):
    graph = read_frozen_graph(color_model())
    monkeypatch.setattr(tensorrt_cache, "is_complete", lambda folder: True)
    options = EngineOptions(precision="float16")
    built = module.choose_providers(graph, options, [module.TENSORRT, module.CPU])
    assert built[0][0] == module.TENSORRT
    assert built[0][1]["trt_fp16_enable"] is True


def test_float16_needs_tensorrt(machine, module, color_model):
    graph = read_frozen_graph(color_model())
    options = EngineOptions(precision="float16")
    with pytest.raises(EngineError, match="this ONNX Runtime has no TensorRT, which float16 needs"):
        module.choose_providers(graph, options, [module.CPU])
    with pytest.raises(
        EngineError, match="no TensorRT engine was built for .*; run: scripts/build"
    ):
        module.choose_providers(graph, options, [module.TENSORRT, module.CPU])
