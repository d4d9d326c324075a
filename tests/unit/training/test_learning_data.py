from semseg.data.samples.label_decoder import LabelDecoder
from semseg.training import learning_data
from semseg.training.learning_data import LearningData


def test_class_uniform_reads_label_files_once(configure, tiny_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_data, "default_folder", lambda: tmp_path)
    config = configure(data={"class_uniform": 0.5})
    roots = {config.data.dataset: str(tiny_dataset.parent)}
    first = LearningData(config, roots)
    with monkeypatch.context() as patch:
        patch.setattr(LabelDecoder, "read", None)
        second = LearningData(config, roots)
    for data in (first, second):
        batch = next(data.batches(0))
        assert batch.labels.shape == (2, 16, 24)
    assert [path.name[:12] for path in tmp_path.iterdir()] == ["tiny-places-"]


def test_what_is_learnt_by_heart_is_drawn_in_order(configure, tiny_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_data, "default_folder", lambda: tmp_path)
    config = configure(data={"class_uniform": 1.0}, training={"overfit": 2})
    data = LearningData(config, {config.data.dataset: str(tiny_dataset.parent)})
    assert sorted(next(data.batches(0)).names) == ["train/0", "train/1"]
    assert list(tmp_path.iterdir()) == []
