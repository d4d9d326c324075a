"""Predictions on disk as an evaluation saves them: ids, names and sizes."""

import cv2
import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.data import load_dataset
from semseg.data.declarations.class_map import ClassMap
from semseg.data.declarations.specs import FolderSpec
from semseg.data.declarations.strict_yaml import validate
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.outputs.predictions import KINDS, PredictionSaver, raw_id_table

CLASSES = [{"name": "road", "color": [1, 2, 3]}, {"name": "car", "color": [4, 5, 6]}]
SPLITS = {"val": {"images": "*.png", "labels": "*.png"}}


def _spec(**keys):
    declaration = {"name": "toy", "classes": CLASSES, "splits": SPLITS, **keys}
    return validate(FolderSpec, declaration, "toy")


def _table(spec, names=None):
    own = ClassTable(("car", "lorry", "road"), ((0, 0, 0),) * 3)
    return raw_id_table(spec, ClassMap.create(own, spec.classes, names or {"lorry": "car"}))


def _read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_labels_become_the_ids_of_the_dataset():
    spec = _spec(classes=[{**CLASSES[0], "ids": [7, 8]}, {**CLASSES[1], "ids": [26]}], ignored=[4])
    table = _table(spec)
    assert table.dtype == np.uint8
    assert table[[0, 1, 2, 3, 255]].tolist() == [26, 26, 7, 4, 4]
    assert _table(spec, {"lorry": "ignore"})[1] == 4


def test_ids_of_16_bits_are_multiplied_and_colours_are_colours():
    wide = _table(_spec(decode="uint16 // 256", ignored=[9]))
    assert wide.dtype == np.uint16 and wide[[0, 2, 255]].tolist() == [256, 0, 9 * 256]
    colors = _table(_spec(decode="rgb", ignored=[[9, 9, 9]]))
    assert colors[[0, 2, 255]].tolist() == [[4, 5, 6], [1, 2, 3], [9, 9, 9]]


def test_a_map_to_other_classes_has_no_raw_ids():
    spec = _spec()
    own = ClassTable(("car",), ((0, 0, 0),))
    with pytest.raises(ConfigError, match="raw ids.*'toy'"):
        raw_id_table(spec, ClassMap.create(own, own))
    with pytest.raises(ConfigError, match="'town' has none"):
        raw_id_table(load_dataset("town"), ClassMap.create(own, own))


def test_kinds_have_folders_and_a_submission_has_one_for_all(segmenter, image_of, tmp_path):
    frame = Frame("val/aachen/aachen_000000_000019_x", None, image_of([[0, 2]]))
    raw_ids = np.arange(256, dtype=np.uint8) + 7
    PredictionSaver(tmp_path, segmenter.classes, KINDS, raw_ids).save(
        frame, np.array([[0, 2]], np.uint8)
    )
    nested = {f"{kind}/val/aachen/aachen_000000_000019_x.png" for kind in KINDS[:4]}
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png")}
    assert files == nested | {"submission/aachen_000000_000019_x.png"}
    assert _read(tmp_path / "submission/aachen_000000_000019_x.png").tolist() == [[7, 9]]
    name = "val/aachen/aachen_000000_000019_x.png"
    assert _read(tmp_path / "raw_ids" / name).tolist() == [[7, 9]]
    assert _read(tmp_path / "labels" / name).tolist() == [[0, 2]]
    assert _read(tmp_path / "colors" / name)[..., ::-1].tolist() == [[[128, 64, 128], [0, 0, 142]]]


def test_the_size_may_be_the_networks(segmenter, image_of, tmp_path):
    frame = Frame("a", None, image_of(np.zeros((4, 8))))
    labels = np.repeat(np.repeat([[0, 1], [2, 0]], 2, 0), 4, 1).astype(np.uint8)
    kinds = ["labels", "overlay"]
    saver = PredictionSaver(tmp_path, segmenter.classes, kinds, size_of=lambda size: (2, 2))
    saver.save(frame, labels)
    assert _read(tmp_path / "labels/a.png").tolist() == [[0, 1], [2, 0]]
    assert _read(tmp_path / "overlay/a.png").shape == (2, 2, 3)


def test_an_unknown_kind_names_the_others(segmenter, tmp_path):
    with pytest.raises(ConfigError, match="'ids'; available: .*raw_ids, submission"):
        PredictionSaver(tmp_path, segmenter.classes, ["ids"])
