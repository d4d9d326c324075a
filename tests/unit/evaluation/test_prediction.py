"""Predictions on disk: names, sizes and pixels."""

import cv2
import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame, Outcome, Unreadable
from semseg.evaluation.frames.video import VideoReader
from semseg.evaluation.outputs.predictions import PredictionWriter
from semseg.evaluation.prediction import predict
from semseg.runtime.images.view import Margins


def read_rgb(path):
    return cv2.imread(str(path))[..., ::-1]


@pytest.fixture
def frames(image_of):
    return [
        Frame("left/a", None, image_of([[0, 1, 2], [0, 0, 0]])),
        Frame("b", None, image_of([[1]])),
    ]


def test_names_sizes_and_pixels_are_kept(segmenter, frames, tmp_path):
    with PredictionWriter(tmp_path, segmenter.classes) as writer:
        assert predict(segmenter, frames, writer.save) == Outcome(2, [])
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert files == [
        f"{kind}/{name}.png" for kind in ("colors", "labels", "overlay") for name in ("b", "left/a")
    ]
    labels = cv2.imread(str(tmp_path / "labels/left/a.png"), cv2.IMREAD_UNCHANGED)
    assert labels.dtype == np.uint8 and labels.tolist() == [[0, 1, 2], [0, 0, 0]]
    colors = read_rgb(tmp_path / "colors/left/a.png")
    assert colors[0].tolist() == [[128, 64, 128], [70, 130, 180], [0, 0, 142]]
    overlay = read_rgb(tmp_path / "overlay/left/a.png")
    # Half the image (label, 255, 0), half the colour.
    np.testing.assert_allclose(overlay[0, 0], [64, 159.5, 64], atol=1)


def test_only_the_kinds_that_were_asked_for(segmenter, frames, tmp_path):
    with PredictionWriter(tmp_path, segmenter.classes, ["labels"]) as writer:
        predict(segmenter, frames, writer.save)
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


def test_an_unknown_kind_names_the_others(segmenter, tmp_path):
    with pytest.raises(ConfigError, match="'color'; available: colors, labels, overlay"):
        PredictionWriter(tmp_path, segmenter.classes, ["color"])


def test_a_video_becomes_videos_but_labels_stay_exact(segmenter, image_of, tmp_path):
    images = [image_of(np.full((16, 32), label)) for label in (0, 1)]
    frames = [Frame(f"drive_{index:06d}", 0, image) for index, image in enumerate(images)]
    with PredictionWriter(tmp_path, segmenter.classes, rate_hz=10.0) as writer:
        predict(segmenter, frames, writer.save)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert files == [
        "colors.mp4",
        "labels/drive_000000.png",
        "labels/drive_000001.png",
        "overlay.mp4",
    ]
    assert cv2.imread(str(tmp_path / "labels/drive_000001.png"), -1).tolist() == [[1] * 32] * 16
    first, second = VideoReader(tmp_path / "colors.mp4")
    np.testing.assert_allclose(first.mean((0, 1)), [128, 64, 128], atol=6)
    np.testing.assert_allclose(second.mean((0, 1)), [70, 130, 180], atol=6)


def test_cropped_rows_are_not_shown_and_become_void(segmenter, image_of, tmp_path):
    saved = []
    image = image_of(np.arange(5)[:, None] % 3)
    frames = [Frame("a", None, image)]
    predict(segmenter, frames, lambda frame, labels: saved.append(labels), crop=Margins(1, 2))
    assert segmenter.sizes == [(2, 1)]
    assert saved[0].tolist() == [[IGNORE], [1], [2], [IGNORE], [IGNORE]]


def test_what_cannot_be_read_or_cropped_is_named(segmenter, image_of):
    frames = [
        Unreadable("a", "cut off"),
        Frame("flat", None, image_of([[0]])),
        Frame("high", None, image_of([[0], [0]])),
    ]
    saved = []
    outcome = predict(
        segmenter, frames, lambda frame, _: saved.append(frame.name), crop=Margins(1, 0)
    )
    assert saved == ["high"]
    assert outcome.done == 1
    assert outcome.skipped == [
        Unreadable("a", "cut off"),
        Unreadable("flat", "a crop of 1,0,0,0 leaves nothing of an image of 1x1"),
    ]
