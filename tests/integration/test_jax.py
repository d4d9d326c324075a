"""The same experiment on JAX: one device, several, several hosts, and frozen by TensorFlow."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf
import yaml

from semseg.networks import NETWORKS
from semseg.runtime import Segmenter
from semseg.training.building import build_network
from semseg.training.config.experiment import load_config
from semseg.training.losses import LOSSES
from semseg.training.records.checkpoints import model_variables, save_checkpoint
from semseg.training.trainer import train
from tolerances import of_means, of_network

pytestmark = pytest.mark.timeout(900)  # Each process compiles anew.
ROOT = Path(__file__).resolve().parents[2]
STEP_PIXELS = 4 * 16 * 24
LOSS_PROGRAM = """
import sys, jax, numpy as np
from semseg.training.losses import LOSSES
given = np.load(sys.argv[1])
found = {}
for name, kind in LOSSES.items():
    step = jax.jit(jax.value_and_grad(lambda logits: kind()(given["labels"], logits)))
    found[name], found[name + "_gradient"] = step(given["logits"])
assert "tensorflow" not in sys.modules
np.savez(sys.argv[2], **found)
"""
NETWORKS_PROGRAM = """
import sys, keras, numpy as np
import semseg.networks
folder, *names = sys.argv[1:]
images = np.load(folder + "/images.npy")
for name in names:
    model = keras.saving.load_model(f"{folder}/{name}.keras")
    inputs = images[0] if len(model.inputs) == 1 else list(images)
    np.save(f"{folder}/{name}.npy", model.predict_on_batch(inputs))
assert "tensorflow" not in sys.modules
"""


class JaxPython:
    """An interpreter with JAX and without TensorFlow."""

    def __init__(self, executable):
        self._executable = str(executable)

    def start(self, *arguments, **environment):
        environment = {
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": str(ROOT),  # Also where SEMSEG_JAX_PYTHON is another venv.
            **environment,
        }
        return subprocess.Popen(
            [self._executable, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments, **environment):
        finish(self.start(*arguments, **environment))


def finish(*processes, status=0):
    """Waits for processes and demands an exit status of them."""
    try:
        outputs = [process.communicate(timeout=400)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == status, output


@pytest.fixture(scope="module")
def jax_python():
    executable = os.environ.get("SEMSEG_JAX_PYTHON", ROOT / ".venv-jax" / "bin" / "python")
    if not shutil.which(executable):
        pytest.skip("no .venv-jax: run `tools/set_up jax`, or set SEMSEG_JAX_PYTHON")
    return JaxPython(executable)


@pytest.fixture(scope="module")
def experiment(tiny_dataset):
    """File of an experiment on the tiny dataset, in its folder: four crops a step."""
    path = tiny_dataset.parent / "experiment.yaml"
    values = {
        "name": "tiny",
        "data": {"dataset": str(tiny_dataset), "size": [24, 32]},
        "augmentation": {"crop": [16, 24], "zoom": [0.8, 1.5]},
        "network": {
            "name": "resnet_baseline",
            "base_width": 4,
            "encoder_blocks": [1, 1],
            "decoder_blocks": [1],
        },
        "loss": {"name": "bootstrapped_cross_entropy", "fraction": 0.5},
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "schedule": {"name": "constant"},
        "training": {"steps": 8, "epoch_steps": 4, "batch_size": 4, "threads": 1},
    }
    path.write_text(yaml.safe_dump(values))
    return path


def train_command(experiment, workdir, *arguments):
    return (
        *("scripts/train.py", "--config", experiment, "--root", experiment.parent),
        *("--workdir", workdir, *arguments),
    )


@pytest.fixture(scope="module")
def jax_run(jax_python, experiment, tmp_path_factory):
    """Run folder of the experiment, trained by JAX on one device."""
    workdir = tmp_path_factory.mktemp("runs") / "jax"
    jax_python.run(*train_command(experiment, workdir))
    return workdir


def weights_of(workdir):
    with np.load(workdir / "checkpoints" / "last.npz") as file:
        return {name: file[name] for name in file.files if name != "state"}


def log_of(workdir):
    return list(csv.DictReader((workdir / "log.csv").open()))


def assert_same_weights(workdir, other):
    found, expected = weights_of(workdir), weights_of(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # A gradient is a mean over the pixels of a step; a rate of 1 is the largest here.
        near = of_means(STEP_PIXELS, max(1, np.abs(value).max()))
        np.testing.assert_allclose(found[name], value, rtol=0, atol=near, err_msg=name)


def wait_for_epoch(workdir, after):
    """Returns when the log has an epoch that ends after a step."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (workdir / "log.csv").exists() and int(log_of(workdir)[-1]["step"]) > after:
            return
        time.sleep(0.2)


def hosts(jax_python, experiment, workdir, *arguments):
    """Starts the run on two hosts of this machine: one is told by a flag, one by variables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "127.0.0.1:{}".format(probe.getsockname()[1])
    command = train_command(experiment, workdir, *arguments)
    return (
        jax_python.start(*command, "--host", f"0/2@{address}"),
        jax_python.start(
            *command,
            KERAS_DISTRIBUTION_PROCESS_ID="1",
            KERAS_DISTRIBUTION_NUM_PROCESSES="2",
            KERAS_DISTRIBUTION_JOB_ADDRESSES=address,
        ),
    )


def test_each_loss_and_its_gradient_are_those_of_tensorflow(jax_python, tmp_path):
    rng = np.random.default_rng(5)
    labels = rng.choice([0, 1, 2, 255], (2, 16, 20)).astype(np.uint8)
    logits = rng.normal(0, 2, (2, 16, 20, 3)).astype(np.float32)
    np.savez(tmp_path / "given.npz", labels=labels, logits=logits)
    jax_python.run("-c", LOSS_PROGRAM, tmp_path / "given.npz", tmp_path / "found.npz")
    found = np.load(tmp_path / "found.npz")
    for name, kind in LOSSES.items():
        variable = tf.Variable(logits)
        with tf.GradientTape() as tape:
            loss = kind()(labels, variable)
        near = of_means(labels.size, np.abs(logits).max())
        assert found[name] == pytest.approx(float(loss), rel=0, abs=near), name
        gradient = np.array(tape.gradient(loss, variable))
        near = of_means(labels.size, np.abs(gradient).max())
        np.testing.assert_allclose(
            found[f"{name}_gradient"], gradient, rtol=0, atol=near, err_msg=name
        )


@pytest.mark.slow
def test_each_network_gives_the_logits_of_tensorflow(jax_python, tiny_network, tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (2, 1, 49, 67, 3)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    expected = {}
    for name in NETWORKS:
        model = tiny_network(name, 3)
        model.save(tmp_path / f"{name}.keras")
        inputs = images[0] if len(model.inputs) == 1 else list(images)
        expected[name] = np.array(model(inputs, training=False)), of_network(model, inputs)
    # What is compiled runs once: compiling well would take most of the time.
    quickly = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    jax_python.run("-c", NETWORKS_PROGRAM, tmp_path, *NETWORKS, **quickly)
    for name, (logits, tolerance) in expected.items():
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(found, logits, rtol=0, atol=tolerance, err_msg=name)


def test_a_step_has_the_loss_and_gradients_of_tensorflow(jax_python, experiment, tmp_path):
    # A rate of 1 without momentum: the weights move by the gradient.
    overrides = ["optimizer.learning_rate=1", "optimizer.momentum=0", "training.steps=1"]
    config = load_config(experiment, overrides)
    initial = tmp_path / "initial.npz"
    save_checkpoint(initial, model_variables(build_network(config.network, 3)), {})
    flags = [word for override in overrides for word in ("--set", override)]
    jax_python.run(*train_command(experiment, tmp_path / "jax", "--init-weights", initial, *flags))
    roots = {config.data.dataset: str(experiment.parent)}
    train(config, roots, tmp_path / "tf", init_weights=initial)
    assert_same_weights(tmp_path / "jax", tmp_path / "tf")
    moved = weights_of(tmp_path / "jax")["logits/kernel"] - np.load(initial)["logits/kernel"]
    assert np.abs(moved).max() > 1e-3
    (found,), (expected,) = log_of(tmp_path / "jax"), log_of(tmp_path / "tf")
    assert float(found["loss"]) == pytest.approx(
        float(expected["loss"]), rel=of_means(STEP_PIXELS, 1)
    )


@pytest.mark.slow
def test_two_devices_give_the_weights_of_one(jax_python, experiment, jax_run, tmp_path):
    command = train_command(experiment, tmp_path / "devices")
    jax_python.run(*command, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert_same_weights(tmp_path / "devices", jax_run)


@pytest.mark.slow
def test_two_hosts_give_the_weights_of_one(jax_python, experiment, jax_run, tmp_path):
    workdir = tmp_path / "hosts"
    finish(*hosts(jax_python, experiment, workdir))
    assert_same_weights(workdir, jax_run)
    assert [row["step"] for row in log_of(workdir)] == ["4", "8"]


@pytest.mark.slow
def test_a_signal_to_one_host_ends_all_and_all_resume(jax_python, experiment, tmp_path):
    workdir = tmp_path / "run"
    endless = ("--set", "training.steps=100000", "--auto-resume")
    steps = [0]
    for index in (1, 0):
        processes = hosts(jax_python, experiment, workdir, *endless)
        wait_for_epoch(workdir, after=steps[-1])
        processes[index].send_signal(signal.SIGTERM)
        finish(*processes, status=130)
        steps.append(int(weights_of(workdir)["optimizer/iteration"]))
    assert 0 < steps[1] < steps[2]
    assert [int(row["step"]) for row in log_of(workdir)] == list(range(4, steps[2] + 1, 4))


def test_tensorflow_freezes_what_jax_saved(jax_run, tmp_path):
    graph = tmp_path / "model.pb"
    command = ["scripts/freeze.py", "--workdir", str(jax_run), "--output", str(graph)]
    frozen = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert frozen.returncode == 0, frozen.stderr
    segmenter = Segmenter.load(str(graph))
    root = Path(yaml.safe_load((jax_run / "config.yaml").read_text())["data"]["dataset"]).parent
    right = labelled = 0
    for path in sorted((root / "val" / "images").glob("*.png")):
        truth = cv2.imread(str(root / "val" / "labels" / path.name), cv2.IMREAD_UNCHANGED)
        labels = segmenter.segment(cv2.imread(str(path))[..., ::-1]).labels
        right += np.sum((labels == truth) & (truth < 3))
        labelled += np.sum(truth < 3)
    best = max(log_of(jax_run), key=lambda row: float(row["validation_mean_iou"]))
    assert right / labelled == pytest.approx(float(best["validation_pixel_accuracy"]), abs=1e-3)
