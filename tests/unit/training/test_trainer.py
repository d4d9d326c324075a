import csv
import shutil

import numpy as np
import pytest

from semseg.errors import CheckpointError, ConfigError
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import Resume, RunFolder
from semseg.training.training_step import DivergenceError


def _variables(path):
    return load_checkpoint(path).variables


def test_a_run_learns_and_leaves_its_records(run, tmp_path):
    outcome = run(training={"steps": 60, "epoch_steps": 20, "batch_size": 4})
    assert outcome.finished and outcome.step == 60 and not outcome.skipped
    assert outcome.best_mean_iou > 0.9
    folder = RunFolder(tmp_path / "run")
    rows = list(csv.DictReader(folder.log.open()))
    assert [row["step"] for row in rows] == ["20", "40", "60"]
    assert float(rows[-1]["validation_loss"]) < float(rows[0]["validation_loss"]) < 1.2
    best = load_checkpoint(folder.best).state
    scores = [float(row["validation_mean_iou"]) for row in rows]
    assert best["scores"][0]["mean_iou"] == pytest.approx(max(scores), abs=1e-5)
    assert best["training"]["terms"] == "made by a test"
    # The best is there before the end: its card says how long these weights were trained.
    assert best["training"]["steps"] == best["step"] == int(rows[np.argmax(scores)]["step"]) < 60
    assert folder.curves.read_bytes().startswith(b"\x89PNG")
    assert np.load(folder.images).shape == (3, 24, 32, 3)
    assert list(folder.tensorboard.iterdir())


def test_the_average_is_kept_as_best_and_does_not_disturb_the_run(run, tmp_path):
    run("plain")
    run("averaged", optimizer={"average": 0.5})
    plain, averaged = (RunFolder(tmp_path / name) for name in ("plain", "averaged"))
    kernel = "logits/kernel"
    np.testing.assert_array_equal(_variables(plain.last)[kernel], _variables(averaged.last)[kernel])
    best = _variables(averaged.best)[kernel]
    assert np.abs(best - _variables(plain.best)[kernel]).max() > 1e-4


def test_a_run_is_neither_overwritten_nor_resumed_with_another_configuration(run):
    run()
    with pytest.raises(ConfigError, match="holds a run already; continue it with --resume"):
        run()
    with pytest.raises(ConfigError, match="differs: training.batch_size was 2, is 3"):
        run(resume=Resume.REQUIRED, training={"batch_size": 3})


def test_a_checkpoint_of_something_else_is_not_resumed(run, tmp_path):
    run()
    run("other", network={"hidden_width": 9})
    last, best = (tmp_path / f"run/checkpoints/{name}.npz" for name in ("last", "best"))
    shutil.copy(tmp_path / "other/checkpoints/last.npz", last)
    with pytest.raises(CheckpointError, match=r"last.npz is of another network: it has shape .* 9"):
        run(resume=Resume.REQUIRED)
    shutil.copy(best, last)
    with pytest.raises(CheckpointError, match=r"last.npz is of another network: it has nothing"):
        run(resume=Resume.REQUIRED)


def test_a_crop_that_no_stride_divides_is_padded_inside(run):
    outcome = run(
        data={"size": [21, 29]},
        augmentation={"crop": [19, 27]},
        network={"name": "unet", "base_width": 2, "poolings": 3},
        training={"steps": 1},
    )
    assert outcome.finished and 0 <= outcome.best_mean_iou <= 1


def test_a_loss_that_is_no_number_stops_the_run(run, tmp_path):
    where = r"the loss is (nan|inf) at step \d+, on the batch of train/\d, train/\d; "
    with pytest.raises(DivergenceError, match=where):
        run(optimizer={"name": "sgd", "learning_rate": 1e30})
    assert not (tmp_path / "run/checkpoints/last.npz").exists()


def test_init_weights_start_a_run_and_name_what_does_not_fit(run, tmp_path, caplog):
    run("first")
    weights = tmp_path / "first/checkpoints/best.npz"
    run("second", init_weights=weights, network={"hidden_layers": 1})
    assert "skipped" not in caplog.text
    run("third", init_weights=weights, network={"hidden_width": 9, "hidden_layers": 3})
    assert "skipped hidden0/kernel: shape (1, 1, 5, 9) here, shape (1, 1, 5, 8)" in caplog.text
    assert "skipped hidden2/bias: shape (9,) here, none in the file" in caplog.text


def test_a_run_that_cannot_begin_leaves_no_folder(run, tmp_path):
    with pytest.raises(ConfigError, match="no file .*backbone.npz to take weights from"):
        run("fourth", init_weights=tmp_path / "backbone.npz")
    assert not (tmp_path / "fourth").exists()


def test_class_weights_of_another_number_are_refused(run):
    with pytest.raises(ConfigError, match="has 2 weights, the dataset has 3 classes: sky, road"):
        run(loss={"name": "cross_entropy", "class_weights": [1.0, 2.0]})


def test_an_unreadable_image_is_named_and_the_run_goes_on(run, configure, tiny_dataset):
    broken = tiny_dataset.parent / "train" / "images" / "3.png"
    content = broken.read_bytes()
    try:
        broken.write_bytes(content[:40])
        outcome = run()
    finally:
        broken.write_bytes(content)
    assert outcome.finished
    assert [name.rsplit("/", 1)[-1] for name in outcome.skipped] == ["3"]
