import os

import keras
import numpy as np
import pytest
import yaml

from semseg.classes import IGNORE
from semseg.data.batches.batches import Batch
from semseg.training.fake_input import fake_steps, measure_steps
from semseg.training.learning_data import LearningData
from semseg.training.training_step import DivergenceError
from tolerances import of_means


def _losses(config, steps=4):
    keras.utils.set_random_seed(0)
    step, batches = fake_steps(config)
    return step, [step.run(batches, number) for number in range(steps)]


def test_two_equal_batches_accumulate_to_the_step_of_one(configure):
    """With clipping, decay and averaging; a step is one whatever the number of its batches."""
    optimizer = {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.1, "clip_norm": 0.5}
    schedule = {"name": "step", "milestones": [2], "factor": 0.1}
    plain = configure(optimizer=optimizer, schedule=schedule)
    doubled = configure(optimizer=optimizer, schedule=schedule, training={"accumulate": 2})
    (one, expected), (two, found) = _losses(plain), _losses(doubled)
    # Both losses and gradients are means over the pixels of both crops.
    near = of_means(2 * 16 * 24, 1)
    np.testing.assert_allclose(found, expected, rtol=near)
    assert found[-1] < found[0]
    for first, second in zip(one.model.weights, two.model.weights, strict=True):
        np.testing.assert_allclose(second, first, rtol=near, atol=near)
    assert int(two.model.optimizer.iterations) == 4


LIMITED = pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ,
    reason="TensorFlow asks the processor for bfloat16, and oneDNN, which is limited, has none",
)


@pytest.mark.parametrize("precision", [pytest.param("bfloat16", marks=LIMITED), "float16"])
def test_lower_precision_learns_the_same_with_weights_in_float32(configure, precision):
    _, expected = _losses(configure())
    step, found = _losses(configure(training={"precision": precision}))
    np.testing.assert_allclose(found, expected, rtol=0.02)
    assert found != expected
    assert {variable.dtype for variable in step.model.trainable_variables} == {"float32"}
    assert step.model.layers[-2].compute_dtype == precision
    assert keras.config.dtype_policy().name == "float32"
    names = [variable.path for variable in step.model.optimizer.variables]
    assert len(names) == len(set(names))
    assert ("loss_scale/dynamic_scale" in names) == (precision == "float16")


def test_a_step_that_leads_nowhere_names_it_and_its_files(configure):
    step, (batch,) = fake_steps(configure(optimizer={"name": "sgd", "learning_rate": 1e30}))
    named = batch._replace(names=("train/a", "train/b"))
    with pytest.raises(DivergenceError, match=r"is (nan|inf) at step 7, on .* train/a, train/b;"):
        for _ in range(3):
            step.run([named], 7)
    with pytest.raises(DivergenceError, match="is no number after step 8, though the loss still"):
        step.check_weights(8)


def test_fake_input_needs_no_data_and_reports_speed_and_memory(configure):
    config = configure(data={"dataset": "town"}, loss={"name": "focal", "class_weights": "enet"})
    report = measure_steps(config, 5)
    assert report["timed_steps"] == 2
    assert report["images_per_second"] == pytest.approx(2 / report["median_step_seconds"], rel=0.05)
    assert 50 < report["peak_memory_mib"] < 100_000


def test_each_head_learns_from_the_samples_of_its_own_datasets(configure, tiny_dataset, tmp_path):
    other = yaml.safe_load(tiny_dataset.read_text()) | {"name": "other"}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(other))
    names = [str(tiny_dataset), str(tmp_path / "other.yaml")]
    data = {"dataset": None, "datasets": [{"dataset": name} for name in names], "size": [24, 32]}
    root = str(tiny_dataset.parent)
    learnt = LearningData(configure(data=data), dict.fromkeys(names, root))
    assert learnt.num_classes == {"tiny": 3, "other": 3}
    labels = np.array([[[0, 1]], [[2, 1]], [[IGNORE, 2]]], np.uint8)
    batch = Batch(
        np.zeros((3, 1, 2, 3), np.uint8), labels, ("a", "b", "c"), np.array([1, 0, 1]), None
    )
    targets = learnt.targets(batch, ["tiny", "other", "other_aux0"])
    void = [[IGNORE, IGNORE]]
    np.testing.assert_array_equal(targets["tiny"], [void, [[2, 1]], void])
    np.testing.assert_array_equal(targets["other"], [[[0, 1]], void, [[IGNORE, 2]]])
    np.testing.assert_array_equal(targets["other_aux0"], targets["other"])
