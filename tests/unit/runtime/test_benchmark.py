"""The benchmark: one row per pair that runs, reasons for the others, equal labels counted."""

import numpy as np
import pytest

from semseg.errors import EngineError, GraphError
from semseg.runtime.benchmark import Contest, benchmark, installed_engines, street_like_image


def test_rows_and_failures(color_model):
    engine = installed_engines()[0]
    models = [color_model(), color_model(name="twin.pb", sizes=(1, 32, 64, 3))]
    rows, failures = benchmark(models, [engine, "nothing"], Contest(size=(32, 64), turns=3))
    assert [row.model for row in rows] == models
    assert all(row.engine.startswith(engine + " ") for row in rows)
    assert [row.agreement for row in rows] == [1.0, 1.0]
    for row in rows:
        assert 0 < row.median_ms <= row.p95_ms
        assert row.fps == pytest.approx(1000 / row.median_ms)
        assert row.load_s > 0
        assert row.peak_mib > 20
    assert len(failures) == 2
    assert "unknown engine 'nothing'" in failures[0]


def test_nothing_to_compare(color_model):
    with pytest.raises(EngineError, match="nothing to compare"):
        benchmark([color_model()], ["nothing"], Contest(size=(32, 64)))
    with pytest.raises(GraphError, match="nowhere.pb"):
        benchmark(["nowhere.pb"], installed_engines()[:1], Contest(size=(32, 64)))


def test_image_is_the_same_each_time():
    image = street_like_image((30, 50))
    assert image.shape == (30, 50, 3)
    assert image.std() > 20
    np.testing.assert_array_equal(image, street_like_image((30, 50)))
