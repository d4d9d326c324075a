import csv
import errno
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import yaml

from semseg.errors import CheckpointError, ConfigError
from semseg.training.checkpoints import load_checkpoint
from semseg.training.run_folder import Resume, RunFolder
from semseg.training.trainer import train
from semseg.training.training_step import DivergenceError

# Trains a network with all that has a state, normalisation and dropout, and ends as `kill -9`
# does before step `killed_at`, if there is such a step.
KILLED_RUN = """
import os, signal, sys
import keras
from semseg.networks import NETWORKS, normalization

def stateful(num_classes):
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="stem")(image)
    x = normalization.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.5, seed=0, name="dropout")(x)
    return keras.Model(image, keras.layers.Conv2D(num_classes, 1, name="logits")(x))

NETWORKS["stateful"] = stateful
from semseg.training import config, trainer

experiment, root, workdir, killed_at = sys.argv[1:]
train_on_batch = keras.Model.train_on_batch
def deadly(model, *batch, **options):
    if int(model.optimizer.iterations) == int(killed_at):
        os.kill(os.getpid(), signal.SIGKILL)
    return train_on_batch(model, *batch, **options)

keras.Model.train_on_batch = deadly
experiment = config.load_config(experiment)
trainer.train(experiment, {experiment.data.dataset: root}, workdir, trainer.Resume.IF_THERE)
"""


@pytest.fixture
def run(configure, tiny_dataset, tmp_path):
    """Trains on the tiny dataset in a folder of the test's."""

    def start(folder="run", resume=Resume.NEVER, init_weights=None, **sections):
        config = configure(**sections)
        roots = {config.data.dataset: str(tiny_dataset.parent)}
        return train(config, roots, tmp_path / folder, resume, init_weights)

    return start


def _variables(path):
    return load_checkpoint(path).variables


def _assert_equal_checkpoints(first, second):
    ours, theirs = load_checkpoint(first), load_checkpoint(second)
    assert ours.state == theirs.state
    assert set(ours.variables) == set(theirs.variables)
    for name, value in ours.variables.items():
        np.testing.assert_array_equal(value, theirs.variables[name], err_msg=name)


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
    assert folder.curves.read_bytes().startswith(b"\x89PNG")
    assert np.load(folder.images).shape == (2, 24, 32, 3)
    assert list(folder.tensorboard.iterdir())


def test_the_killed_and_resumed_run_is_the_uninterrupted_one(experiment, tiny_dataset, tmp_path):
    """Bit for bit, with dropout, moving averages and momentum."""
    path = tmp_path / "experiment.yaml"
    values = experiment(
        network={"name": "stateful"},
        optimizer={"name": "adamw", "learning_rate": 0.01, "average": 0.9},
        training={"steps": 4, "epoch_steps": 2, "deterministic": True},
    )
    path.write_text(yaml.safe_dump(values))

    def start(workdir, killed_at):
        arguments = (path, tiny_dataset.parent, tmp_path / workdir, killed_at)
        command = [sys.executable, "-c", KILLED_RUN, *map(str, arguments)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    whole, killed = start("whole", -1), start("killed", 3)
    assert killed.wait() == -signal.SIGKILL
    folders = [RunFolder(tmp_path / name) for name in ("whole", "killed")]
    assert len(load_checkpoint(folders[1].last).state["history"]) == 1
    resumed = start("killed", -1)
    for process in (whole, resumed):
        assert process.wait() == 0, process.stderr.read()
    for name in ("last", "best"):
        _assert_equal_checkpoints(*(getattr(folder, name) for folder in folders))
    assert folders[0].log.read_bytes() == folders[1].log.read_bytes()


def test_sigterm_ends_a_run_after_its_step_and_resume_finishes_it(run, tmp_path, monkeypatch):
    run("whole")
    train_on_batch = keras.Model.train_on_batch

    def interrupted(model, *batch, **options):
        if int(model.optimizer.iterations) == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return train_on_batch(model, *batch, **options)

    monkeypatch.setattr(keras.Model, "train_on_batch", interrupted)
    outcome = run("stopped")
    assert not outcome.finished and outcome.step == 5
    assert len(load_checkpoint(tmp_path / "stopped/checkpoints/last.npz").state["history"]) == 1
    monkeypatch.undo()
    assert run("stopped", resume=Resume.REQUIRED).finished
    _assert_equal_checkpoints(
        tmp_path / "whole/checkpoints/last.npz", tmp_path / "stopped/checkpoints/last.npz"
    )


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


def test_a_loss_that_is_no_number_stops_the_run(run, tmp_path):
    where = r"the loss is (nan|inf) at step \d+, on the batch of train/\d, train/\d; "
    with pytest.raises(DivergenceError, match=where):
        run(optimizer={"name": "sgd", "learning_rate": 1e30})
    assert not (tmp_path / "run/checkpoints/last.npz").exists()


def test_a_full_disk_stops_the_run_and_keeps_the_former_checkpoint(run, tmp_path, monkeypatch):
    run(training={"steps": 6, "epoch_steps": 3})
    folder = RunFolder(tmp_path / "run")
    former = folder.last.read_bytes()
    folder.config.write_text(folder.config.read_text().replace("steps: 6", "steps: 9"))

    def full(file, **arrays):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("semseg.training.checkpoints.np.savez", full)
    with pytest.raises(CheckpointError, match="No space left on device; the former one is kept"):
        run(resume=Resume.REQUIRED, training={"steps": 9, "epoch_steps": 3})
    assert folder.last.read_bytes() == former
    assert len(load_checkpoint(folder.last).state["history"]) == 2


def test_init_weights_start_a_run_and_name_what_does_not_fit(run, tmp_path, caplog):
    run("first")
    weights = tmp_path / "first/checkpoints/best.npz"
    run("second", init_weights=weights, network={"hidden_layers": 1})
    assert "skipped" not in caplog.text
    run("third", init_weights=weights, network={"hidden_width": 9, "hidden_layers": 3})
    assert "skipped hidden0/kernel: shape (1, 1, 5, 9) here, shape (1, 1, 5, 8)" in caplog.text
    assert "skipped hidden2/bias: shape (9,) here, none in the file" in caplog.text


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
