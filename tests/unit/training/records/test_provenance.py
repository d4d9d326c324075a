import numpy as np
import pytest
import yaml

from semseg.metrics import ConfusionMatrix
from semseg.training.learning_data import LearningData
from semseg.training.records.provenance import score_records
from semseg.training.validation import Score


@pytest.fixture
def declaration(tiny_dataset, tmp_path):
    """The tiny dataset with a split that joins its two, each image under another name."""
    values = yaml.safe_load(tiny_dataset.read_text())
    values["splits"]["both"] = [dict(values["splits"][split]) for split in ("train", "val")]
    path = tmp_path / "joined.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def _protocol(config, root):
    confusion = ConfusionMatrix(3)
    confusion.update(np.arange(3, dtype=np.uint8), np.array([0, 1, 1], np.uint8))
    datasets = LearningData(config, {config.data.dataset: str(root)}).datasets
    (record,) = score_records(datasets, {"tiny": Score(0.5, confusion)}, config, None)
    assert record["mean_iou"] == 0.5  # 1, 1/2 and 0.
    return record["protocol"]


@pytest.mark.parametrize(
    ("train_split", "said"),
    [("train", " val, 3 classes"), ("both", " val (3 of its images were learnt), 3 classes")],
)
def test_a_score_says_which_of_its_images_were_learnt(
    configure, declaration, tiny_dataset, train_split, said
):
    data = {"dataset": str(declaration), "train_split": train_split, "size": [24, 32]}
    assert said in _protocol(configure(data=data), tiny_dataset.parent)
