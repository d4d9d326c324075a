"""The benchmark: one row per entrant that runs, reasons for the others, equal labels counted."""

import json
import sys

import cv2
import numpy as np
import pytest

from semseg.errors import EngineError, ImageError
from semseg.runtime.benchmark import (
    Entrant,
    benchmark,
    installed_engines,
    read_images,
    street_like_image,
    table,
    write_report,
)
from semseg.runtime.engines import ENGINES

SIZE = (32, 64)
READS_PB = next(name for name in ("openvino", "tensorflow") if ENGINES[name].installed)


def test_rows_of_graphs_sizes_and_interpreters(color_model, tmp_path):
    models = [color_model(), color_model(name="twin.pb", sizes=(1, 32, 64, 3))]
    entrants = [
        Entrant(models[0], READS_PB, SIZE),
        Entrant(models[1], READS_PB, SIZE, python=sys.executable),
        Entrant(models[0], READS_PB, (16, 16)),
        Entrant(models[0], READS_PB, SIZE, tensors=("input", "class_probabilities")),
        Entrant(models[0], "nothing", SIZE),
        Entrant(models[1], READS_PB, (16, 16)),
        Entrant("nowhere.pb", READS_PB, SIZE),
        Entrant(models[0], READS_PB, SIZE, python="/nowhere/python"),
    ]
    rows, failures = benchmark(entrants, turns=3, threads=1)
    assert [row.model for row in rows] == [models[0], models[1], models[0], models[0]]
    assert [row.size for row in rows] == [SIZE, SIZE, (16, 16), SIZE]
    assert [row.agreement for row in rows] == [1.0, 1.0, 1.0, 1.0]
    for row in rows:
        assert row.engine.startswith(READS_PB + " ")
        assert 0 < row.median_ms <= row.p95_ms
        assert row.fps == pytest.approx(1000 / row.median_ms)
        assert row.load_s > row.first_ms / 1000 > 0
        assert 20 < row.resident_mib <= row.peak_mib
        assert (row.parameters, row.gmacs) == (0, 0)
    assert list(failures) == entrants[4:]
    parts = ["unknown engine 'nothing'", "is frozen at 32x64", "No such file", "/nowhere/python"]
    for part, failure in zip(parts, failures.values()):
        assert part in failure
    _check_output(rows, failures, tmp_path / "report.json")


def _check_output(rows, failures, path):
    lines = table(rows, threads=1)
    assert "threads: 1" in lines[1]
    assert len(lines) == 3 + len(rows)
    assert "twin.pb" in lines[4]
    assert lines[4].endswith("100.00")
    write_report(str(path), rows, failures, threads=1)
    record = json.loads(path.read_text())
    assert record["rows"][2]["size"] == [16, 16]
    assert record["conditions"] == {"threads": 1}
    assert record["failures"] == {str(entrant): text for entrant, text in failures.items()}


def test_agreement_counts_pixels_of_all_images(color_model, graphs, tmp_path):
    images = [np.full((8, 8, 3), 9, np.uint8) for _ in range(2)]
    images[1][:4, :, 2] = 200  # The upper half is blue for one graph, red for the other.
    swapped = graphs.color_graph(
        extra=[
            graphs.constant("order", np.array([2, 1, 0], np.int32), graphs.int32),
            graphs.constant("last", np.int32(3), graphs.int32),
            graphs.node(
                "swapped",
                "GatherV2",
                ["class_probabilities", "order", "last"],
                graphs.type_attr("Tparams", graphs.float32)
                + graphs.type_attr("Tindices", graphs.int32)
                + graphs.type_attr("Taxis", graphs.int32),
            ),
        ]
    )
    path = tmp_path / "swapped.pb"
    path.write_bytes(swapped)
    entrants = [
        Entrant(color_model(), READS_PB, (8, 8)),
        Entrant(str(path), READS_PB, (8, 8), tensors=("input", "swapped")),
    ]
    rows, failures = benchmark(entrants, turns=2, images=images)
    assert not failures
    assert rows[1].agreement == pytest.approx(0.75)


def test_nothing_to_compare(color_model):
    with pytest.raises(EngineError, match="nothing to compare: .*unknown engine 'nothing'"):
        benchmark([Entrant(color_model(), "nothing", SIZE)])


def test_entrants_as_text():
    entrant = Entrant.parse("a.pb", "openvino:bfloat16", SIZE)
    assert entrant[:5] == ("a.pb", "openvino", SIZE, "bfloat16", None)
    entrant = Entrant.parse("a.pb", "tensorflow@env/bin/python", SIZE)
    assert entrant[:5] == ("a.pb", "tensorflow", SIZE, "auto", "env/bin/python")
    assert str(entrant) == "a.pb in tensorflow@env/bin/python at 32x64"
    assert "tensorflow_tensorrt" not in installed_engines()


def test_images_of_files(tmp_path, caplog):
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 0] = 200  # Blue for OpenCV.
    cv2.imwrite(str(tmp_path / "a.png"), image)
    (found,) = read_images(str(tmp_path / "*.png"))
    assert found[0, 0].tolist() == [0, 0, 200]
    assert read_images(None) == []
    (tmp_path / "b.png").write_bytes(b"no image")
    # One bad file costs itself, and says so.
    (found,) = read_images(str(tmp_path / "*.png"))
    assert found[0, 0].tolist() == [0, 0, 200]
    assert "b.png: damaged" in caplog.text
    assert "1 of 2 images skipped" in caplog.text
    (tmp_path / "a.png").unlink()
    with pytest.raises(ImageError, match="none of 1 files can be read: .*b.png: damaged"):
        read_images(str(tmp_path / "*.png"))
    with pytest.raises(ImageError, match="no file is named like"):
        read_images(str(tmp_path / "*.jpg"))


def test_image_is_the_same_each_time():
    image = street_like_image((30, 50))
    assert image.shape == (30, 50, 3)
    assert image.std() > 20
    np.testing.assert_array_equal(image, street_like_image((30, 50)))
