"""The loop from frames to scores, with a segmenter whose answers are known."""

import math

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.data.declarations.class_map import ClassMap
from semseg.evaluation.frames.frames import Frame, Unreadable
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.scores.scores import ScoreOptions
from semseg.runtime import Segmentation, Timing

WITH_LOSS = Settings(options=ScoreOptions(loss=True))


def frame(image, labels, name="a"):
    return Frame(name, None, image, None if labels is None else np.array(labels, np.uint8))


def test_scores_of_a_hand_worked_frame(segmenter, image_of):
    report = evaluate(segmenter, [frame(image_of([[0, 1, 1]]), [[0, 0, 1]])])
    np.testing.assert_array_equal(report.confusion.counts[:2, :2], [[1, 1], [0, 1]])
    assert report.confusion.mean_iou == pytest.approx(0.5)
    assert report.passed


def test_counts_add_up_over_frames(segmenter, image_of):
    frames = [
        frame(image_of([[0, 1]]), [[0, 1]], "good"),
        frame(image_of([[0, 1]]), [[1, 1]], "half"),
    ]
    report = evaluate(segmenter, frames)
    assert report.confusion.counts[:2, :2].tolist() == [[1, 0], [1, 2]]
    assert [score.pixel_accuracy for score in report.frames] == [1.0, 0.5]
    assert [score.mean_iou for score in report.frames] == [1.0, 0.25]


def test_a_small_prediction_is_scored_at_the_truths_own_resolution(segmenter, image_of):
    truth = [[2, 0, 1, 1], [0, 0, 1, 1]]  # The 2 is too fine for the prediction.
    report = evaluate(segmenter, [frame(image_of([[0, 1]]), truth)])
    assert report.confusion.counts.sum() == 8
    assert report.confusion.counts[:, :3].tolist() == [[3, 0, 0], [0, 4, 0], [1, 0, 0]]
    assert report.truth_sizes == [(2, 4)]


def test_a_truth_of_another_shape_is_skipped_and_named(segmenter, image_of):
    frames = [
        frame(image_of(np.zeros((4, 4))), np.zeros((4, 8)), "bent"),
        frame(image_of([[0]]), [[0]]),
    ]
    report = evaluate(segmenter, frames)
    assert report.skipped == [
        Unreadable(
            "bent",
            "the image is 4x4, its true labels are 4x8; expected the same shape, at any scale",
        )
    ]
    assert report.confusion.counts.sum() == 1


def test_a_truth_rounded_by_downscaling_is_taken(segmenter, image_of):
    report = evaluate(segmenter, [frame(image_of(np.zeros((30, 45))), np.zeros((241, 360)))])
    assert not report.skipped


def test_an_unreadable_frame_is_counted_and_the_run_goes_on(segmenter, image_of):
    frames = [
        frame(image_of([[0]]), [[0]], "first"),
        Unreadable("second", "cut off"),
        frame(image_of([[1]]), [[1]], "third"),
    ]
    report = evaluate(segmenter, frames)
    assert [score.name for score in report.frames] == ["first", "third"]
    assert report.skipped == [Unreadable("second", "cut off")]
    assert not report.passed


def test_a_true_label_outside_the_table_changes_no_count(segmenter, image_of):
    frames = [frame(image_of([[0, 0]]), [[0, 7]], "strange"), frame(image_of([[1]]), [[1]])]
    report = evaluate(segmenter, frames)
    assert report.skipped[0].name == "strange"
    assert "true label 7 is neither" in report.skipped[0].reason
    assert report.confusion.counts.sum() == 1


def test_the_loss_is_the_mean_over_all_scored_pixels(segmenter, image_of):
    frames = [
        frame(image_of([[0, 0, 0]], confidence=0.8), [[0, 1, IGNORE]]),
        frame(image_of([[2]], confidence=0.2), [[2]]),
    ]
    report = evaluate(segmenter, frames, settings=WITH_LOSS)
    # 0.8 for the right class; 0.1 left for each wrong one; 0.2 in the second frame.
    assert report.scores.totals()["loss"] == pytest.approx(
        -(math.log(0.8) + math.log(0.1) + math.log(0.2)) / 3
    )


def test_the_loss_of_a_certain_error_is_finite(segmenter, image_of):
    report = evaluate(segmenter, [frame(image_of([[0]]), [[1]])], settings=WITH_LOSS)
    assert report.scores.totals()["loss"] == pytest.approx(-math.log(1e-7))


def test_no_loss_unless_asked(segmenter, image_of):
    assert "loss" not in evaluate(segmenter, [frame(image_of([[0]]), [[0]])]).scores.totals()


def test_a_class_map_merges_classes_and_their_probabilities(segmenter, image_of):
    dataset = ClassTable(("ground", "vehicle"), ((0, 0, 0), (9, 9, 9)))
    names = {"road": "ground", "sky": "ignore", "car": "ground"}
    class_map = ClassMap.create(segmenter.classes, dataset, names)
    frames = [frame(image_of([[0, 1, 2]], confidence=0.6), [[0, 0, 1]])]
    report = evaluate(segmenter, frames, settings=WITH_LOSS._replace(class_map=class_map))
    # road is right, sky is no class there (a false negative), car is taken for ground.
    assert report.confusion.counts.tolist() == [[1, 0, 1], [1, 0, 0]]
    # P(ground) = P(road) + P(car); nothing means vehicle, so its probability is the least.
    expected = -(math.log(0.6 + 0.2) + math.log(0.2 + 0.2) + math.log(1e-7)) / 3
    assert report.scores.totals()["loss"] == pytest.approx(expected, rel=1e-6)


def test_without_truth_there_are_shares_confidence_and_latency(segmenter, image_of):
    frames = [frame(image_of([[0, 0, 0, 2]], confidence=0.4), None)]
    report = evaluate(segmenter, frames, settings=WITH_LOSS)
    (score,) = report.frames
    assert score.class_share.tolist() == [0.75, 0, 0.25]
    assert score.confidence == pytest.approx(0.4)
    assert score.latency_ms == 10.0
    assert math.isnan(report.confusion.mean_iou) and math.isnan(report.scores.totals()["loss"])
    assert report.passed


def test_every_segmented_frame_is_saved_with_its_own_labels(segmenter, image_of):
    saved = {}
    frames = [frame(image_of([[2]]), [[0]], "a"), Unreadable("b", "gone")]
    evaluate(segmenter, frames, save=lambda frame, result: saved.update({frame.name: result}))
    assert list(saved) == ["a"] and saved["a"].labels.tolist() == [[2]]


def test_nothing_at_all_does_not_pass(segmenter):
    assert not evaluate(segmenter, []).passed


class Answer:
    """Answers every image with the same labels."""

    def __init__(self, classes, labels):
        self.classes = classes
        self.labels = np.array(labels, np.uint8)

    def segment(self, image, second=None, probabilities=False, confidence=True):
        ones = np.ones(self.labels.shape, np.float32)
        return Segmentation(self.labels, ones, None, Timing(0.0, 1.0, 0.0))


def test_a_prediction_of_another_shape_is_skipped_and_named(segmenter, image_of):
    frames = [frame(image_of(np.zeros((4, 4))), np.zeros((4, 4)))]
    report = evaluate(Answer(segmenter.classes, np.zeros((4, 8))), frames)
    assert report.skipped[0].reason.startswith("the image is 4x4, its prediction is 4x8; expected")
    assert report.confusion.counts.sum() == 0


def test_a_prediction_at_the_networks_size_is_scored_at_the_truths(segmenter, image_of):
    frames = [frame(image_of(np.zeros((4, 8))), np.repeat([[0, 1]], 4, 0).repeat(4, 1))]
    report = evaluate(Answer(segmenter.classes, [[0, 1]]), frames)
    assert report.confusion.counts[:2, :2].tolist() == [[16, 0], [0, 16]]


@pytest.mark.parametrize("label, is_fine", [(2, True), (3, False), (254, False), (IGNORE, True)])
def test_a_predicted_id_outside_the_table_is_named(segmenter, image_of, label, is_fine):
    report = evaluate(Answer(segmenter.classes, [[label]]), [frame(image_of([[0]]), [[0]])])
    reasons = [each.reason for each in report.skipped]
    expected = f"predicted label {label} is neither a class (0..2) nor ignore (255)"
    assert reasons == ([] if is_fine else [expected])
    assert report.confusion.counts.sum() == is_fine


def test_what_a_source_raises_ends_the_run(segmenter, image_of):
    def frames():
        yield frame(image_of([[0]]), [[0]])
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        evaluate(segmenter, frames())


def test_what_saving_raises_ends_the_run(segmenter, image_of):
    def save(frame, result):
        raise OSError("the disk is full")

    frames = [frame(image_of([[0]]), [[0]])] * 20
    with pytest.raises(OSError, match="the disk is full"):
        evaluate(segmenter, frames, save=save)
    assert len(segmenter.sizes) < 20


def test_no_more_than_a_few_frames_are_alive(segmenter, image_of):
    alive, most = set(), 0

    class Tracked(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def frames():
        nonlocal most
        for index in range(60):
            image = image_of(np.full((8, 8), index % 3)).view(Tracked)
            alive.add(id(image))
            most = max(most, len(alive))
            yield frame(image, np.full((8, 8), index % 2), str(index))

    report = evaluate(segmenter, frames(), settings=Settings(shown=2))
    assert len(report.frames) == 60
    assert most < 25
