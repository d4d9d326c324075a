import csv
from pathlib import Path

import numpy as np
import pytest
import yaml

from semseg.errors import ConfigError
from semseg.training.export.freeze import freeze
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import RunFolder

STEPS = {"steps": 30, "epoch_steps": 15, "batch_size": 4}


@pytest.fixture
def pair(tiny_dataset, tmp_path):
    """The tiny dataset, and the same images with other classes: no sky, cars first."""
    other = yaml.safe_load(tiny_dataset.read_text())
    colors = {entry["name"]: entry["color"] for entry in other["classes"]}
    other["name"] = "other"
    other["classes"] = [
        {"name": "vehicle", "color": colors["car"], "ids": [2]},
        {"name": "road", "color": colors["road"], "ids": [1]},
    ]
    other["ignored"] = [0, 3]
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(other))
    return [{"dataset": str(tiny_dataset)}, {"dataset": str(path)}]


def _rows(folder):
    return list(csv.DictReader(folder.log.open()))


def test_each_dataset_is_learnt_by_a_head_of_its_own_and_all_are_frozen(
    run, pair, tiny_dataset, tmp_path
):
    data = {"dataset": None, "datasets": pair, "size": [24, 32]}
    outcome = run(data=data, training=STEPS, root=tiny_dataset.parent)
    folder = RunFolder(tmp_path / "run")
    last = _rows(folder)[-1]
    scores = [float(last[f"validation_mean_iou/{name}"]) for name in ("tiny", "other")]
    assert min(scores) > 0.7
    assert float(last["validation_mean_iou"]) == pytest.approx(np.mean(scores))
    best = load_checkpoint(folder.best)
    assert [len(best.state["heads"][head]) for head in ("tiny", "other")] == [3, 2]
    assert best.variables["logits_other/kernel"].shape[-1] == 2
    protocols = [score["protocol"] for score in best.state["scores"]]
    assert "3 classes" in protocols[0] and "other.yaml val, 2 classes" in protocols[1]
    assert best.state["training"]["dataset"] == "tiny + other"
    assert outcome.best_mean_iou == pytest.approx(
        max(float(row["validation_mean_iou"]) for row in _rows(folder))
    )
    card = freeze(folder.path, tmp_path / "both.pb", head="other")
    assert (card.default_head, card.classes.names) == ("other", ("vehicle", "road"))
    assert [head.name for head in card.heads] == ["tiny", "other"]


def test_a_shared_head_learns_all_datasets_by_a_class_map(run, pair, tiny_dataset, tmp_path):
    names = tmp_path / "map.yaml"
    names.write_text(
        "classes:\n- {name: ground, color: [1, 1, 1]}\n- {name: moving, color: [2, 2, 2]}\n"
        "map: {sky: ignore, road: ground, car: moving, vehicle: moving}\n"
    )
    shared = {"dataset": None, "datasets": pair, "heads": "shared", "class_map": str(names)}
    run(data={**shared, "size": [24, 32]}, training=STEPS, root=tiny_dataset.parent)
    folder = RunFolder(tmp_path / "run")
    last = _rows(folder)[-1]
    # The same images with the same labels: each dataset has the other's score.
    assert float(last["validation_mean_iou/tiny"]) > 0.8
    assert last["validation_mean_iou/tiny"] == last["validation_mean_iou/other"]
    classes = load_checkpoint(folder.best).state["classes"]
    assert [entry["name"] for entry in classes] == ["ground", "moving"]


def test_classes_that_find_no_place_are_named(run, pair, tiny_dataset):
    data = {"dataset": None, "datasets": pair, "size": [24, 32]}
    with pytest.raises(ConfigError, match="'other': classes vehicle are none of sky, road, car"):
        run(data={**data, "heads": "shared"}, root=tiny_dataset.parent)
    one_head = [{**section, "head": "street"} for section in pair]
    with pytest.raises(ConfigError, match="head 'street' has the classes sky, road, car, dataset"):
        run(data={**data, "datasets": one_head}, root=tiny_dataset.parent)
    for name in ("logits", "street_aux0"):
        reserved = [{**pair[0], "head": name}, pair[1]]
        with pytest.raises(ConfigError, match=f"a head cannot be called '{name}'"):
            run(data={**data, "datasets": reserved}, root=tiny_dataset.parent)


def test_two_datasets_of_one_name_are_refused(run, pair, tiny_dataset):
    path = Path(pair[1]["dataset"])
    path.write_text(path.read_text().replace("name: other", "name: tiny"))
    with pytest.raises(ConfigError, match="several are named tiny"):
        run(data={"dataset": None, "datasets": pair, "size": [24, 32]}, root=tiny_dataset.parent)


def test_an_epoch_of_the_data_is_as_many_samples_as_all_datasets_have(
    run, pair, tiny_dataset, tmp_path
):
    data = {"dataset": None, "datasets": pair, "size": [24, 32]}
    training = {"steps": 8, "epoch_steps": None, "batch_size": 4}
    run(data=data, training=training, root=tiny_dataset.parent)
    # Six samples each, four in a step.
    assert [int(row["step"]) for row in _rows(RunFolder(tmp_path / "run"))] == [3, 6, 8]
