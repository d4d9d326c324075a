"""``scripts/evaluate.py`` with all it can do, on streets of the town and the shipped model."""

import csv
import json
import re
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from semseg import town

ROOT = Path(__file__).parents[2]
SIZE = (128, 256)
VOID_ID = 200


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Three labelled streets; the raw ids are the labels, plus 3."""
    folder = tmp_path_factory.mktemp("dataset")
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    for index, drawn in enumerate(town.drive("val", 3, rate_hz=1.0, size=SIZE)):
        cv2.imwrite(str(folder / "images" / f"s{index}.png"), drawn.image[..., ::-1])
        raw_ids = np.where(drawn.labels == 255, VOID_ID, drawn.labels + 3).astype(np.uint8)
        cv2.imwrite(str(folder / "labels" / f"s{index}.png"), raw_ids)
    classes = [
        {**entry, "ids": [label + 3]} for label, entry in enumerate(town.TOWN_CLASSES.to_list())
    ]
    names = list(town.TOWN_CLASSES.names)
    declaration = {
        "name": "streets",
        "classes": classes,
        "ignored": [VOID_ID],
        "scores": {"categories": {"first": names[:4], "rest": names[4:]}, "road_class": "Road"},
        "splits": {"val": {"images": "images/*.png", "labels": "labels/*.png"}},
    }
    (folder / "dataset.yaml").write_text(yaml.safe_dump(declaration))
    return folder


@pytest.fixture
def evaluate(dataset, monkeypatch, capsys):
    def run(*flags):
        model = ROOT / "models" / "town_reduced.pb"
        base = ("evaluate.py", "--model", model, "--dataset", dataset, "--size", "64x128")
        monkeypatch.setattr(sys, "argv", [*map(str, (*base, *flags))])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(ROOT / "scripts" / "evaluate.py"), run_name="__main__")
        return (caught.value.code, *capsys.readouterr())

    return run


def test_scores_predictions_pages_and_logs_of_one_run(evaluate, dataset, tmp_path):
    saved = tmp_path / "saved"
    status, out, _ = evaluate(
        *("--report", tmp_path / "r.json", "--html", tmp_path / "r.html", "--boundary", 1),
        *("--log", tmp_path / "log.csv", "--tensorboard", tmp_path / "board", "--shown", 1),
        *("--save-predictions", saved, "--kind", "raw_ids", "labels", "--at", "network"),
    )
    assert status == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert 0.2 < report["mean_iou"] < report["mean_category_iou"] <= 1
    assert report["road_image_plane"]["max_f"] > 0.5 and 0 < report["mean_boundary_f"] < 1
    assert sum(report["calibration"]["pixels"]) == np.sum(report["confusion"])
    assert re.search(f"mean IoU +{100 * report['mean_iou']:.1f} %", out)
    assert "first " in out and "road MaxF (image plane)" in out
    assert "streets val, 3 frames; 11 classes, void ignored; truth at its own 128x256" in out
    page = (tmp_path / "r.html").read_text()
    assert page.count('class="strip"') == 2 and report["protocol"] in page
    (row,) = csv.DictReader((tmp_path / "log.csv").open())
    assert float(row["mean_iou"]) == report["mean_iou"]
    assert list((tmp_path / "board").glob("events*"))
    for name in ("s0", "s1", "s2"):
        labels, raw_ids = (
            cv2.imread(str(saved / kind / "val" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
            for kind in ("labels", "raw_ids")
        )
        assert labels.shape == (64, 128) and (raw_ids == labels + 3).all()


def test_views_are_averaged_and_told(evaluate, tmp_path):
    scores = {}
    for name, flags in {
        "plain": ("--no-loss",),
        "views": ("--flip", "--scales", "1", "1.5"),
        "windows": ("--window", "64x128", "--flip"),
    }.items():
        status, _, err = evaluate(*flags, "--report", tmp_path / f"{name}.json")
        assert status == 0, err
        scores[name] = json.loads((tmp_path / f"{name}.json").read_text())
    assert "one scale, no flip, whole images" in scores["plain"]["protocol"]
    assert "scales 1.0 1.5, flipped too, whole images" in scores["views"]["protocol"]
    assert "one scale, flipped too, windows of 64x128" in scores["windows"]["protocol"]
    assert scores["views"]["mean_iou"] > scores["plain"]["mean_iou"] - 0.05
    assert scores["windows"]["mean_iou"] != scores["plain"]["mean_iou"]
    assert scores["plain"]["loss"] is None and scores["views"]["loss"] > 0


def test_compared_with_itself_nothing_drops_and_with_a_better_one_it_does(evaluate, tmp_path):
    path = tmp_path / "r.json"
    assert evaluate("--report", path)[0] == 0
    status, out, _ = evaluate("--compare", path)
    assert status == 0 and "no drop of the mean IoU" in out
    better = {**json.loads(path.read_text()), "mean_iou": 0.999}
    path.write_text(json.dumps(better))
    status, out, _ = evaluate("--compare", path)
    assert status == 1 and "mean IoU dropped" in out and "99.90" in out


MISTAKES = {
    "old folder": (("--save-predictions", "{data}"), "holds files already"),
    "no report": (("--compare", "no.json"), "no.json: cannot be read"),
    "no kind": (("--save-predictions", "x", "--kind", "colours"), "invalid choice: 'colours'"),
    "no scale": (("--scales", "0"), "expected a number above zero, found '0'"),
    "two sizes": (("--window", "32x32"), "leave out --size"),
    "no log": (("--log", "{data}/dataset.yaml"), "is no log of evaluations"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_status_2(evaluate, dataset, name):
    flags, expected = MISTAKES[name]
    status, _, err = evaluate(*(flag.format(data=dataset) for flag in flags))
    assert status == 2
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert expected in line and "Traceback" not in err
