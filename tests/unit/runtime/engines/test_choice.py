"""What ``auto`` takes when an engine cannot be loaded, or fails at its first inference."""

import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from semseg.errors import EngineError, GraphError
from semseg.runtime import Segmenter
from semseg.runtime.engines import ENGINES, Engine

AUTOMATIC = ("openvino", "litert", "onnxruntime", "tensorflow")


class FakeEngine(Engine):
    """Labels everything 2; its subclasses fail."""

    closed = 0

    def __init__(self, graph, options):
        self.precision = options.precision

    def run(self, feeds, outputs):
        size = feeds["input"].shape[:3]
        made = {"class_ids": np.full(size, 2, np.uint8), "class_confidence": np.ones(size, "f4")}
        return tuple(made[name] for name in outputs)

    def close(self):
        type(self).closed += 1


def failing(error, at):
    def fail(self, *_):
        raise error

    return type("Failing", (FakeEngine,), {at: fail})


class WrongEngine(FakeEngine):
    def run(self, feeds, outputs):
        return tuple(array.astype(np.int64) for array in super().run(feeds, outputs))


@pytest.fixture
def install(monkeypatch):
    """Takes name -> class of the engines that are installed; the others are not."""

    def replace(**classes):
        for name in AUTOMATIC:
            package = "json" if name in classes else "no_such_package"
            monkeypatch.setitem(ENGINES, name, ENGINES[name]._replace(package=package))
            module = SimpleNamespace(**{ENGINES[name].engine: classes.get(name)})
            monkeypatch.setitem(sys.modules, "semseg.runtime.engines." + name, module)

    return replace


def test_the_engines_are_tried_from_the_fastest_and_none_that_builds_for_minutes():
    assert tuple(name for name, entry in ENGINES.items() if entry.automatic) == AUTOMATIC


def test_one_that_works_is_taken_without_a_warning(color_model, install, caplog):
    caplog.set_level(logging.INFO)
    install(litert=FakeEngine, tensorflow=failing(EngineError("not reached"), "__init__"))
    segmenter = Segmenter.load(color_model())
    assert (segmenter.engine, segmenter.refusals) == ("litert", ())
    assert ("INFO", "engine auto: litert") in [
        (record.levelname, record.message) for record in caplog.records
    ]


@pytest.mark.parametrize(
    "failure, reason",
    [
        (failing(EngineError("no such processor"), "__init__"), "no such processor"),
        (failing(EngineError("cannot run x.pb: bad op"), "run"), "cannot run x.pb: bad op"),
        (failing(GraphError("another digest"), "__init__"), "another digest"),
        (
            failing(AttributeError("module 'x' has\n no attribute 'y'"), "run"),
            "AttributeError: module 'x' has no attribute 'y'",
        ),
    ],
)
def test_one_that_fails_to_load_or_to_run_once_is_passed_over(
    color_model, install, caplog, failure, reason
):
    install(openvino=failure, tensorflow=FakeEngine)
    segmenter = Segmenter.load(color_model())
    assert segmenter.engine == "tensorflow"
    assert segmenter.refusals == (("openvino", reason),)
    assert segmenter.segment(np.zeros((4, 6, 3), np.uint8)).labels.tolist() == [[2] * 6] * 4
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.message == "engine auto: tensorflow; not openvino: " + reason


def test_one_that_makes_no_labels_is_passed_over(color_model, install):
    install(openvino=WrongEngine, tensorflow=FakeEngine)
    segmenter = Segmenter.load(color_model())
    assert segmenter.engine == "tensorflow"
    assert "makes labels of int64" in segmenter.refusals[0].reason


def test_what_failed_to_run_is_closed(color_model, install):
    failure = failing(EngineError("out of memory"), "run")
    install(openvino=failure, tensorflow=FakeEngine)
    Segmenter.load(color_model())
    assert (failure.closed, FakeEngine.closed) == (1, 0)


def test_without_one_that_works_every_reason_is_listed(color_model, install):
    install(
        openvino=failing(EngineError("no such processor"), "__init__"),
        litert=failing(EngineError("out of memory"), "run"),
    )
    expected = (
        r"^no installed engine runs .*colors\.pb; not openvino: no such processor; "
        "not litert: out of memory$"
    )
    with pytest.raises(EngineError, match=expected):
        Segmenter.load(color_model())


def test_a_named_engine_has_no_substitute(color_model, install):
    install(openvino=failing(EngineError("out of memory"), "run"), tensorflow=FakeEngine)
    with pytest.raises(EngineError, match="^out of memory$"):
        Segmenter.load(color_model(), engine="openvino")


def test_a_precision_that_no_engine_has(color_model, install):
    install(openvino=FakeEngine)
    expected = "no installed engine runs .*; not openvino: unknown precision of engine 'openvino'"
    with pytest.raises(EngineError, match=expected):
        Segmenter.load(color_model(), precision="int4")
