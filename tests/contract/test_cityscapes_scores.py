"""Our scores equal those of the package ``cityscapesscripts`` on the same files."""

import contextlib
import io

import cv2
import numpy as np
import pytest
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official  # noqa: N813
from cityscapesscripts.helpers.labels import labels as OFFICIAL_LABELS

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.declarations.class_map import ClassMap
from semseg.data.samples.instances import InstanceReader
from semseg.evaluation.frames.sources import frames_from_dataset
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.outputs.predictions import SUBMISSION, PredictionSaver, raw_id_table
from semseg.evaluation.scores.instance_scores import NO_CLASS, InstanceScores
from semseg.evaluation.scores.scores import ScoreOptions
from semseg.metrics import ConfusionMatrix, mean_of_known
from semseg.runtime import Segmentation, Timing

EVALUATED = [label for label in OFFICIAL_LABELS if not label.ignoreInEval]
CATEGORIES = list(dict.fromkeys(label.category for label in EVALUATED))
NOT_EVALUATED_ID = 4  # "static"
TO_LABEL = np.full(256, IGNORE, np.uint8)
TO_LABEL[[label.id for label in EVALUATED]] = range(len(EVALUATED))
SEVEN_CLASSES = (7, 8, 11, 21, 24, 26, 33)  # Others stay absent.


def _blobs(rng, ids, cells=(8, 16), scale=8):
    return np.kron(rng.choice(ids, cells), np.ones((scale, scale), np.int64))


def _scene(seed):
    """Truth, prediction and instances as raw ids, with the awkward cases of the real files."""
    rng = np.random.default_rng(seed)
    truth = _blobs(rng, [*SEVEN_CLASSES, NOT_EVALUATED_ID])
    wrong = rng.random(truth.shape) < 0.3
    predicted = np.where(wrong, _blobs(rng, [*SEVEN_CLASSES, 13], scale=8), truth)
    predicted[:4] = NOT_EVALUATED_ID  # An ignored label, predicted on true classes.
    instances = truth.copy()
    for raw_id in (24, 26, 33):
        number = _blobs(rng, range(3), cells=(4, 8), scale=16)
        separated = (truth == raw_id) & (number > 0)  # Number 0 stays a group.
        instances[separated] = 1000 * raw_id + number[separated]
    return truth, predicted, instances


def _official_scores(folder, scenes):
    """The result of the official evaluation of scenes, written as its files."""
    names = [folder / f"aachen_{index:06}_000019" for index in range(len(scenes))]
    for name, (truth, predicted, instances) in zip(names, scenes, strict=True):
        cv2.imwrite(f"{name}_gtFine_labelIds.png", truth.astype(np.uint8))
        cv2.imwrite(f"{name}_gtFine_instanceIds.png", instances.astype(np.uint16))
        cv2.imwrite(f"{name}_pred.png", predicted.astype(np.uint8))
    return _evaluate_officially(
        [f"{name}_pred.png" for name in names], [f"{name}_gtFine_labelIds.png" for name in names]
    )


def _evaluate_officially(predictions, truths):
    official.args.quiet, official.args.JSONOutput = True, False
    official.args.evalLabels = []
    with contextlib.redirect_stdout(io.StringIO()):
        return official.evaluateImgLists(predictions, truths, official.args)


def _our_scores(scenes):
    confusion = ConfusionMatrix(len(EVALUATED))
    groups = [CATEGORIES.index(label.category) for label in EVALUATED]
    sizes = {
        index: official.args.avgClassSize[label.name]
        for index, label in enumerate(EVALUATED)
        if label.hasInstances
    }
    scores = InstanceScores(len(EVALUATED), sizes, groups)
    for truth, predicted, instances in scenes:
        predictions = TO_LABEL[predicted]
        confusion.update(TO_LABEL[truth], predictions)
        ids, index = np.unique(instances, return_inverse=True)
        of_class = TO_LABEL[np.where(ids > 1000, ids // 1000, 0)].astype(int)
        of_class[(ids <= 1000) | (of_class == IGNORE)] = NO_CLASS
        scores.update(index.reshape(instances.shape), of_class, predictions)
    return confusion, confusion.grouped(groups, len(CATEGORIES)), scores


@pytest.fixture(scope="module", params=[1, 4], ids=["one image", "four images"])
def both(request, tmp_path_factory):
    scenes = [_scene(seed) for seed in range(request.param)]
    return _official_scores(tmp_path_factory.mktemp("cityscapes"), scenes), _our_scores(scenes)


def _of_classes(scores):
    return [scores[label.name] for label in EVALUATED]


def _of_categories(scores):
    return [scores[name] for name in CATEGORIES]


def _assert_equal(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, equal_nan=True)


def test_class_scores(both):
    theirs, (confusion, _, _) = both
    _assert_equal(confusion.iou, _of_classes(theirs["classScores"]))
    assert np.isnan(confusion.iou).sum() > 5  # Absent classes, and one that is only predicted.
    _assert_equal(confusion.mean_iou, theirs["averageScoreClasses"])


def test_category_scores(both):
    theirs, (_, grouped, _) = both
    _assert_equal(grouped.iou, _of_categories(theirs["categoryScores"]))
    _assert_equal(grouped.mean_iou, theirs["averageScoreCategories"])


def test_instance_scores(both):
    theirs, (confusion, _, scores) = both
    ours = scores.iou(confusion)
    _assert_equal(ours, _of_classes(theirs["classInstScores"]))
    assert np.isfinite(ours).sum() == 3
    _assert_equal(mean_of_known(ours), theirs["averageScoreInstClasses"])


def test_category_instance_scores(both):
    theirs, (confusion, _, scores) = both
    ours = scores.category_iou(confusion)
    _assert_equal(ours, _of_categories(theirs["categoryInstScores"]))
    _assert_equal(mean_of_known(ours), theirs["averageScoreInstCategories"])


def _write_dataset(root, scenes):
    """Writes scenes as the files of Cityscapes; returns the paths of the label files."""
    paths = []
    for index, (truth, _, instances) in enumerate(scenes):
        city, name = f"val/city{index % 2}", f"city{index % 2}_{index:06}_000019"
        for kind in ("leftImg8bit", "gtFine"):
            (root / kind / city).mkdir(parents=True, exist_ok=True)
        image = np.full((*truth.shape, 3), index, np.uint8)
        cv2.imwrite(str(root / "leftImg8bit" / city / f"{name}_leftImg8bit.png"), image)
        label_path = root / "gtFine" / city / f"{name}_gtFine_labelIds.png"
        cv2.imwrite(str(label_path), truth.astype(np.uint8))
        instance_path = str(label_path).replace("labelIds", "instanceIds")
        cv2.imwrite(instance_path, instances.astype(np.uint16))
        paths.append(str(label_path))
    return paths


class _Answers:
    """Labels an image, whose pixels are its scene's number, as the scene's prediction."""

    def __init__(self, classes, scenes):
        self.classes = classes
        self._scenes = scenes

    def segment(self, image, second=None, probabilities=False, confidence=True):
        labels = TO_LABEL[self._scenes[image[0, 0, 0]][1]]
        return Segmentation(labels, np.ones(labels.shape, np.float32), None, Timing(0, 0, 0))


def test_a_report_of_the_dataset_and_the_submission_saved_with_it(tmp_path):
    scenes = [_scene(seed) for seed in range(3)]
    truths = _write_dataset(tmp_path, scenes)
    spec = load_dataset("cityscapes")
    listed = samples(spec, tmp_path, "val")
    raw_ids = raw_id_table(spec, ClassMap.create(spec.classes, spec.classes))
    saver = PredictionSaver(tmp_path / "saved", spec.classes, [SUBMISSION], raw_ids)
    report = evaluate(
        _Answers(spec.classes, scenes),
        frames_from_dataset(listed, InstanceReader.create(spec, listed)),
        settings=Settings(options=ScoreOptions(spec.scores)),
        save=lambda frame, result: saver.save(frame, result.labels),
    )
    theirs = _evaluate_officially(
        [
            str(next((tmp_path / "saved" / SUBMISSION).glob(f"city?_{index:06}_000019*.png")))
            for index in (0, 2, 1)
        ],
        [truths[index] for index in (0, 2, 1)],
    )
    content = report.to_json()
    for ours, official_name in {
        "mean_iou": "averageScoreClasses",
        "mean_instance_iou": "averageScoreInstClasses",
        "mean_category_iou": "averageScoreCategories",
        "mean_category_instance_iou": "averageScoreInstCategories",
    }.items():
        _assert_equal(report.scores.totals()[ours], theirs[official_name])
        assert content[ours] == pytest.approx(theirs[official_name], abs=1e-9)
    for ours, official_name in {
        "iou": "classScores",
        "instance_iou": "classInstScores",
        "category_iou": "categoryScores",
        "category_instance_iou": "categoryInstScores",
    }.items():
        expected = {name: theirs[official_name][name] for name in content[ours]}
        found = {name: np.nan if value is None else value for name, value in content[ours].items()}
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)
