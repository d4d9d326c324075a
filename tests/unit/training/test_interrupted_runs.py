import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import yaml

from semseg.errors import CheckpointError
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import Resume, RunFolder

# Trains a network with all that has a state, normalisation and dropout. It says when it begins a
# step, and ends as `kill -9` does before step `killed_at`, if there is such a step.
STATEFUL_RUN = """
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
from semseg.training import trainer
from semseg.training.config.experiment import load_config

experiment, root, workdir, killed_at = sys.argv[1:]
train_on_batch = keras.Model.train_on_batch
def deadly(model, *batch, **options):
    print("step", flush=True)
    if int(model.optimizer.iterations) == int(killed_at):
        os.kill(os.getpid(), signal.SIGKILL)
    return train_on_batch(model, *batch, **options)

keras.Model.train_on_batch = deadly
experiment = load_config(experiment)
trainer.train(experiment, {experiment.data.dataset: root}, workdir, trainer.Resume.IF_THERE)
"""


@pytest.fixture
def start_stateful(experiment, tiny_dataset, tmp_path):
    """Starts a process that begins or resumes a run with dropout, averages and momentum."""
    path = tmp_path / "experiment.yaml"

    def start(workdir, killed_at=-1, **training):
        values = experiment(
            network={"name": "stateful"},
            optimizer={"name": "adamw", "learning_rate": 0.01, "average": 0.9},
            training={"epoch_steps": 2, "deterministic": True, "kept_checkpoints": 2, **training},
        )
        path.write_text(yaml.safe_dump(values))
        arguments = (path, tiny_dataset.parent, tmp_path / workdir, killed_at)
        command = [sys.executable, "-c", STATEFUL_RUN, *map(str, arguments)]
        errors = (tmp_path / f"{workdir}.txt").open("w")
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)

    return start


def _assert_equal_checkpoints(first, second):
    ours, theirs = load_checkpoint(first), load_checkpoint(second)
    assert ours.state == theirs.state
    assert set(ours.variables) == set(theirs.variables)
    for name, value in ours.variables.items():
        np.testing.assert_array_equal(value, theirs.variables[name], err_msg=name)


def _assert_equal_runs(tmp_path, first, second):
    """Bit for bit: weights, optimizer, random states, scores and the log."""
    ours, theirs = RunFolder(tmp_path / first), RunFolder(tmp_path / second)
    _assert_equal_checkpoints(ours.last, theirs.last)
    _assert_equal_checkpoints(ours.best, theirs.best)
    assert ours.log.read_bytes() == theirs.log.read_bytes()


def test_the_killed_and_resumed_run_is_the_uninterrupted_one(start_stateful, tmp_path):
    whole = start_stateful("whole", steps=4)
    killed = start_stateful("killed", killed_at=3, steps=4)
    assert killed.wait() == -signal.SIGKILL
    assert load_checkpoint(RunFolder(tmp_path / "killed").last).state["step"] == 2
    resumed = start_stateful("killed", steps=4)
    assert (whole.wait(), resumed.wait()) == (0, 0), (tmp_path / "killed.txt").read_text()
    _assert_equal_runs(tmp_path, "whole", "killed")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_run_that_is_killed_ten_times_at_random_is_the_uninterrupted_one(
    start_stateful, tmp_path
):
    """In steps, between them, while it validates and while it saves."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    whole = start_stateful("whole", steps=60)
    kills = 0
    while kills < 10:
        process = start_stateful("killed", steps=60)
        for _ in range(chance.randint(1, 5)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        assert process.wait() == -signal.SIGKILL, f"seed {seed}: the run ended before it was killed"
        kills += 1
    assert start_stateful("killed", steps=60).wait() == 0, (tmp_path / "killed.txt").read_text()
    assert whole.wait() == 0
    _assert_equal_runs(tmp_path, "whole", "killed")


@pytest.fixture
def signalled(monkeypatch):
    """Sends signals to this process before step 4."""
    train_on_batch = keras.Model.train_on_batch

    def send(*signals):
        def interrupted(model, *batch, **options):
            if int(model.optimizer.iterations) == 4:
                for number in signals:
                    # Not os.kill: another thread may take the signal, later, and two for one.
                    signal.raise_signal(number)
            return train_on_batch(model, *batch, **options)

        monkeypatch.setattr(keras.Model, "train_on_batch", interrupted)

    return send


def test_sigterm_ends_a_run_after_its_step_and_sigint_twice_at_once(
    run, tmp_path, signalled, monkeypatch
):
    run("whole")
    signalled(signal.SIGTERM)
    outcome = run("stopped")
    assert not outcome.finished and outcome.step == 5
    state = load_checkpoint(tmp_path / "stopped/checkpoints/last.npz").state
    assert (state["step"], len(state["history"])) == (5, 1)
    signalled(signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run("dropped")
    assert load_checkpoint(tmp_path / "dropped/checkpoints/last.npz").state["step"] == 3
    monkeypatch.undo()
    for folder in ("stopped", "dropped"):
        assert run(folder, resume=Resume.REQUIRED).finished
        last = tmp_path / folder / "checkpoints/last.npz"
        _assert_equal_checkpoints(tmp_path / "whole/checkpoints/last.npz", last)


def test_a_full_disk_stops_the_run_and_the_former_checkpoint_resumes(
    run, tmp_path, signalled, monkeypatch
):
    signalled(signal.SIGTERM)
    run()
    monkeypatch.undo()
    last = RunFolder(tmp_path / "run").last
    former = last.read_bytes()
    # Writing into this device fails as on a full disk.
    last.with_name(last.name + ".partial").symlink_to("/dev/full")
    with pytest.raises(CheckpointError, match="No space left on device; the former one is kept"):
        run(resume=Resume.REQUIRED)
    assert last.read_bytes() == former
    assert run(resume=Resume.REQUIRED).finished
