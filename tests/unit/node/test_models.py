"""Which graphs a call of ~load_model may name, which models may take turns, when batches pay."""

import os
from types import SimpleNamespace

import pytest

from semseg.classes import ClassTable
from semseg.errors import ConfigError, GraphError, SemsegError
from semseg.node.models import Model, ModelLoader, check_same_classes, profitable_batch
from semseg.node.options import ModelOptions


@pytest.fixture
def folders(tmp_path):
    """Has a model folder, one beside it whose name begins alike, and links out of the first."""
    for name in ("models", "models_of_others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.pb").write_bytes(b"no graph")
    (tmp_path / "models" / "link.pb").symlink_to(tmp_path / "models_of_others" / "x.pb")
    return tmp_path


def loader(folders):
    profiles = {"night": str(folders / "models_of_others" / "x.pb")}
    return ModelLoader(ModelOptions(model_folders=[str(folders / "models")], models=profiles))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/nowhere/x.pb",
        "{}/models_of_others/x.pb",
        "{}/models/../models_of_others/x.pb",
        "{}/models/link.pb",
        "x.pb",
        "./x.pb",
    ],
)
def test_a_path_out_of_the_model_folders_is_refused_unread(folders, path):
    with pytest.raises(ConfigError, match="is in none of ~model_folders: .*/models$"):
        loader(folders).load_requested(path.format(folders))


@pytest.mark.parametrize("model", ["{}/models/x.pb", "{}/models/../models/x.pb", "night"])
def test_paths_in_a_folder_and_profiles_are_read(folders, model):
    with pytest.raises(GraphError, match=r"x\.pb"):
        loader(folders).load_requested(model.format(folders))


def test_the_launch_file_may_name_any_path(folders):
    with pytest.raises(GraphError, match=r"x\.pb"):
        loader(folders).load(str(folders / "models_of_others" / "x.pb"))


def test_an_unknown_profile_lists_the_known_ones(folders):
    with pytest.raises(ConfigError, match="available: demo, demo_full, full, night, reduced"):
        loader(folders).load_requested("nigth")


def test_without_folders_the_shipped_models_can_be_asked_for():
    with pytest.raises(ConfigError, match=r"none of ~model_folders: .*models$"):
        ModelLoader(ModelOptions()).load_requested(os.path.abspath("/tmp/x.pb"))


@pytest.mark.parametrize(
    "options, text",
    [
        (ModelOptions(model="reducd"), "did you mean 'reduced'"),
        (ModelOptions(engine="warp"), "unknown engine 'warp'; available: auto, "),
        (ModelOptions(head="sky"), "unknown head 'sky'; available: none"),
        (ModelOptions(input_size="wide"), "such as 256x512; found 'wide'"),
    ],
)
def test_a_model_option_that_cannot_be_used_is_refused(options, text):
    with pytest.raises(SemsegError, match=text):
        ModelLoader(options).load(options.model)


def test_every_model_option_reaches_the_segmenter(monkeypatch):
    calls = []

    def load(path, **options):
        calls.append((path, options))
        return SimpleNamespace(graph=SimpleNamespace(inputs=[SimpleNamespace(shape=(1,))]))

    monkeypatch.setattr("semseg.node.models.Segmenter", SimpleNamespace(load=load))
    options = ModelOptions("x.pb", {}, [], 0.0, "", "24x32", "litert", "int8", 2, 0.5, "sky")
    assert ModelLoader(options).load("/models/x.pb").name == "x.pb"
    ModelLoader(ModelOptions()).load("/models/y.pb")
    given, defaults = (
        ((24, 32), "litert", "int8", 2, "sky", 0.5),
        (None, "auto", "auto") + (None,) * 3,
    )
    names = ("input_size", "engine", "precision", "threads", "head", "gpu_memory_fraction")
    assert calls == [
        ("/models/x.pb", dict(zip(names, given))),
        ("/models/y.pb", dict(zip(names, defaults))),
    ]


class Segmenter:
    def __init__(self, names=("road", "car"), slowness=1.0):
        self.classes = ClassTable.create(names, [(0, 0, 0)] * len(names))
        self.input_size = (4, 4)
        self.busy_s = 0.0
        self._slowness = slowness

    def segment_batch(self, images, confidence):
        assert all(image.shape == (4, 4, 3) for image in images)
        self.busy_s += 0.2 * (1 + self._slowness * (len(images) - 1))


def test_models_of_other_classes_or_inputs_cannot_take_turns():
    full = Model("full.pb", Segmenter())
    check_same_classes(full, Model("reduced.pb", Segmenter()))
    with pytest.raises(GraphError, match=r"full\.pb and reduced\.pb have different classes"):
        check_same_classes(full, Model("reduced.pb", Segmenter(("car", "road"))))
    with pytest.raises(GraphError, match="have different inputs"):
        check_same_classes(full, Model("reduced.pb", Segmenter(), second="right"))


@pytest.mark.parametrize(
    "slowness, num_images, expected", [(0.0, 4, 4), (1.0, 4, 1), (0.0, 1, 1), (0.9, 2, 1)]
)
def test_a_batch_pays_if_its_images_wait_less_than_in_a_row(
    slowness, num_images, expected, monkeypatch
):
    segmenter = Segmenter(slowness=slowness)
    clock = SimpleNamespace(monotonic=lambda: segmenter.busy_s)
    monkeypatch.setattr("semseg.node.models.time", clock)
    assert profitable_batch(segmenter, num_images) == expected
