import os
import signal

import keras
import numpy as np
import pytest
import yaml

from semseg.bags import BagWriter
from semseg.classes import IGNORE, ClassTable
from semseg.data.declarations.class_map import ClassMapFile
from semseg.data.declarations.strict_yaml import validate
from semseg.data.soft_labels import decoded
from semseg.errors import CheckpointError, ConfigError, GraphError, ImageError
from semseg.evaluation.frames.video import VideoReader, VideoWriter
from semseg.networks import NETWORKS
from semseg.networks.heads import ONLY_HEAD, with_teacher, without_auxiliary
from semseg.runtime.graph.frozen_graph import Card, append_card, read_frozen_graph
from semseg.runtime.images.image_file import read_image
from semseg.runtime.segmenter import Segmenter
from semseg.training import teacher as teacher_module
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.config.optimization import TeacherConfig
from semseg.training.export.freeze import freeze
from semseg.training.export.graph import graph_bytes
from semseg.training.fake_input import measure_steps
from semseg.training.learning_data import LearningData
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import Resume, RunFolder
from semseg.training.teacher import Teacher
from semseg.training.trainer import train

COLORS = {"sky": (200, 40, 40), "road": (40, 200, 40), "car": (40, 40, 200)}
LEARN = {"steps": 60, "epoch_steps": 30, "batch_size": 4}


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """A cache folder of the test's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "semseg"


@pytest.fixture(scope="module")
def graph(experiment, tiny_dataset, tmp_path_factory):
    """A graph that knows the tiny dataset."""
    folder = tmp_path_factory.mktemp("teacher")
    values = experiment(training={"steps": 120, "epoch_steps": 60, "batch_size": 4})
    config = validate(ExperimentConfig, values, "test")
    outcome = train(config, {config.data.dataset: str(tiny_dataset.parent)}, folder / "run")
    assert outcome.best_mean_iou > 0.9
    freeze(folder / "run", folder / "teacher.pb")
    return folder / "teacher.pb"


@pytest.fixture
def graph_of(tmp_path):
    """Writes a graph of some classes whose logits are sums of the image's colours."""

    def write(*names, name="other.pb", second=False, seed=0):
        keras.utils.set_random_seed(seed)
        classes = ClassTable.create(names, [(index, 9, 9) for index in range(len(names))])
        model = NETWORKS["color_position"](len(names), hidden_width=4)
        card = Card(name="test", network={"name": "color_position"}, classes=classes, size=(24, 32))
        path = tmp_path / name
        path.write_bytes(append_card(graph_bytes(model, classes), card))
        return path

    return write


def _loss(graph, **options):
    return {"loss": {"name": "cross_entropy", "teacher": {"graph": str(graph), **options}}}


def _unlabelled_data(tiny_dataset, **options):
    images = {"path": str(tiny_dataset.parent / "train/images"), "terms": "MIT"}
    return {"data": {"train_split": None, "unlabelled": [{**images, **options}]}}


# What is learnt.


def test_a_network_learns_from_a_teacher_and_images_without_labels(
    run, graph, tiny_dataset, tmp_path
):
    sections = {**_loss(graph), **_unlabelled_data(tiny_dataset)}
    outcome = run(training=LEARN, **sections)
    assert outcome.best_mean_iou > 0.85 and outcome.passed
    best = load_checkpoint(RunFolder(tmp_path / "run").best)
    record = best.state["training"]
    digest = read_frozen_graph(graph).digest
    assert record["teacher"] == {
        "graph": "teacher.pb",
        "sha256": digest,
        "dataset": "tiny",
        "terms": "made by a test",
        "head": None,
        "temperature": 2.0,
        "weight": 1.0,
    }
    assert record["unlabelled"] == [{"name": "images", "images": 6, "terms": "MIT"}]
    assert record["dataset"] == record["split"] == ""
    assert best.state["scores"][0]["protocol"].endswith("no pretraining, taught by teacher.pb")
    card = freeze(tmp_path / "run", tmp_path / "student.pb")
    assert card.training["teacher"]["sha256"] == digest
    with Segmenter.load(str(tmp_path / "student.pb")) as student, Segmenter.load(
        str(graph)
    ) as ours:
        image = read_image(tiny_dataset.parent / "val/images/0.png")
        same = student.segment(image).labels == ours.segment(image).labels
    assert same.mean() > 0.95


def test_without_unlabelled_images_the_labelled_ones_have_soft_labels(
    configure, graph, tiny_dataset
):
    config = configure(**_loss(graph), augmentation={"crop": [24, 32], "flip": 0, "zoom": [1, 1]})
    data = LearningData(config, {config.data.dataset: str(tiny_dataset.parent)})
    data.prepare()
    batch = next(data.batches(0))
    targets = data.targets(batch, ["logits", "logits_teacher"])
    np.testing.assert_array_equal(targets["logits"], batch.labels)
    soft = targets["logits_teacher"]
    assert soft.shape == (2, 12, 16, 3) and soft.dtype == np.uint8
    labelled = batch.labels[:, ::2, ::2] != IGNORE
    agree = soft.argmax(axis=-1)[labelled] == batch.labels[:, ::2, ::2][labelled]
    assert 0.5 < labelled.mean() < 1 and agree.mean() > 0.85


def test_the_teacher_sees_each_image_once_and_whole(run, graph, tiny_dataset, monkeypatch, caches):
    seen = []
    segment = Segmenter.segment

    def counted(self, image, **options):
        seen.append(image.shape)
        return segment(self, image, **options)

    monkeypatch.setattr(Segmenter, "segment", counted)
    sections = {
        **_loss(graph),
        "data": {"unlabelled": [{"path": str(tiny_dataset.parent / "val/images")}]},
    }
    run("first", **sections)
    assert seen == [(24, 32, 3)] * 9
    assert len([*caches.glob("soft_labels/*/*/*.npz")]) == 9
    run("second", **_loss(graph, temperature=1.0))
    assert len(seen) == 9


def test_samples_learnt_by_heart_have_no_teacher(configure, graph, tiny_dataset, tmp_path):
    sections = {**_loss("missing.pb"), "data": {"unlabelled": [{"path": "missing"}]}}
    config = configure(**sections, training={"overfit": 2})
    data = LearningData(config, {config.data.dataset: str(tiny_dataset.parent)})
    assert data.teacher is None and next(data.batches(0)).soft_labels is None


def test_steps_are_timed_with_a_teacher(configure, graph):
    assert measure_steps(configure(**_loss(graph)), 2)["images_per_second"] > 0


# The output and the graph.


@pytest.mark.parametrize("name", ["color_position", "pidnet"])
def test_freezing_drops_the_output(tiny_network, name):
    keras.utils.set_random_seed(0)
    plain = tiny_network(name, 3)
    taught = with_teacher(plain, ONLY_HEAD)
    classes = ClassTable.create(list(COLORS), list(COLORS.values()))
    expected = graph_bytes(without_auxiliary(plain), classes)
    assert graph_bytes(without_auxiliary(taught), classes) == expected
    image = np.random.default_rng(0).uniform(0, 255, (1, 65, 127, 3)).astype(np.float32)
    outputs = taught.predict_on_batch(image)
    np.testing.assert_array_equal(outputs["logits_teacher"], outputs["logits"][:, ::2, ::2])
    assert taught.output["logits_teacher"].shape == (None, None, None, 3)


# Class tables.


def _pupil(graph, heads=None, names=None):
    tables = {
        head: ClassTable.create(known, [(1, 2, 3)] * len(known))
        for head, known in (heads or {ONLY_HEAD: list(COLORS)}).items()
    }
    return Teacher(TeacherConfig(graph=str(graph)), tables, ClassMapFile(map=names or {}))


def test_classes_in_another_order_are_mapped_by_name(graph_of, tiny_dataset):
    path = graph_of("car", "sky", "road")
    image = read_image(tiny_dataset.parent / "train/images/0.png")
    found = decoded(_pupil(path).soft_labels(image))
    with Segmenter.load(str(path)) as segmenter:
        said = segmenter.segment(image, probabilities=True).probabilities[..., [1, 2, 0]]
    expected = said.reshape(12, 2, 16, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(found, expected, atol=4e-3)


def test_a_class_map_says_what_the_teachers_classes_are(graph_of, tiny_dataset):
    path = graph_of("sky", "lane", "asphalt", "car", "moon")
    names = {"lane": "road", "asphalt": "road", "moon": "ignore"}
    image = read_image(tiny_dataset.parent / "train/images/0.png")
    found = _pupil(path, names=names).soft_labels(image)
    assert found.shape == (12, 16, 3)
    np.testing.assert_allclose(decoded(found).sum(axis=-1)[found.any(axis=-1)], 1, atol=0.01)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("sky", "road", "car", "moon"),
            "classes moon are none of sky, road, car; say with a class",
        ),
        (("sky", "road"), "has no class car, which the network learns; it has sky, road"),
    ],
)
def test_other_classes_are_refused_with_the_difference(graph_of, names, message):
    with pytest.raises(ConfigError, match=f"loss.teacher: .*other.pb:? .*{message}"):
        _pupil(graph_of(*names))


def test_of_heads_of_their_own_the_one_with_its_classes_learns(graph_of):
    path = graph_of("road", "sky")
    heads = {"tiny": ["sky", "road", "car"], "other": ["sky", "road"]}
    assert _pupil(path, heads).head == "other"
    with pytest.raises(ConfigError, match="has the classes road, sky, .* found those of none"):
        _pupil(path, {"tiny": heads["tiny"], "more": ["sky", "car"]})
    with pytest.raises(ConfigError, match="found those of a, b"):
        _pupil(path, {"a": ["sky", "road"], "b": ["road", "sky"]})


def test_a_head_of_its_own_is_taught(run, graph, tiny_dataset, tmp_path):
    other = yaml.safe_load(tiny_dataset.read_text())
    other.update(name="other", ignored=[0, 3])
    other["classes"] = [
        {"name": "vehicle", "color": [1, 1, 1], "ids": [2]},
        {"name": "road", "color": [2, 2, 2], "ids": [1]},
    ]
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(other))
    datasets = [{"dataset": str(tiny_dataset), "train_split": None}, {"dataset": str(path)}]
    images = [{"path": str(tiny_dataset.parent / "val/images")}]
    data = {"dataset": None, "datasets": datasets, "unlabelled": images, "size": [24, 32]}
    run(data=data, training=LEARN, **_loss(graph))
    state = load_checkpoint(RunFolder(tmp_path / "run").best).state
    # The first head has no labels: all it knows is the teacher's.
    assert min(score["mean_iou"] for score in state["scores"]) > 0.8
    assert state["training"]["dataset"] == "other"


# Resuming.


def test_a_resumed_run_is_the_uninterrupted_one(  # noqa: PLR0917 - fixtures
    run, graph, tiny_dataset, tmp_path, monkeypatch, caches
):
    images = {"path": str(tiny_dataset.parent / "val/images")}
    sections = {**_loss(graph), "data": {"unlabelled": [images]}}
    run("whole", **sections)
    with monkeypatch.context() as patch:
        train_on_batch = keras.Model.train_on_batch

        def interrupted(model, *batch, **options):
            if int(model.optimizer.iterations) == 4:
                os.kill(os.getpid(), signal.SIGTERM)
            return train_on_batch(model, *batch, **options)

        patch.setattr(keras.Model, "train_on_batch", interrupted)
        assert run("stopped", **sections).step == 5
    for path in caches.glob("soft_labels/*/*/*.npz"):
        path.unlink()  # They are made again as they were.
    assert run("stopped", resume=Resume.REQUIRED, **sections).finished
    ours, theirs = (
        load_checkpoint(RunFolder(tmp_path / name).last) for name in ("whole", "stopped")
    )
    assert ours.state == theirs.state and ours.state["teacher"]["graph"] == "teacher.pb"
    for name, value in ours.variables.items():
        np.testing.assert_array_equal(value, theirs.variables[name], err_msg=name)


def test_another_teacher_of_the_same_name_is_refused(run, graph_of):
    path = graph_of(*COLORS)
    run(**_loss(path), training={"steps": 2})
    assert run(**_loss(path), training={"steps": 2}, resume=Resume.REQUIRED).finished
    graph_of(*COLORS, seed=1)
    with pytest.raises(CheckpointError, match=r"was taught by other.pb \(sha256 .*a run goes on"):
        run(**_loss(path), training={"steps": 2}, resume=Resume.REQUIRED)


# Unlabelled images.


@pytest.fixture
def unlabelled(configure, graph, tiny_dataset):
    """Finds the unlabelled images that an experiment declares."""

    def find(**source):
        config = configure(**_loss(graph), data={"unlabelled": [source]})
        data = LearningData(config, {config.data.dataset: str(tiny_dataset.parent)})
        return data.unlabelled[0]

    return find


@pytest.fixture
def video(tmp_path):
    """A video of seven frames, each brighter than the one before."""
    path = tmp_path / "drive.mp4"
    with VideoWriter(path, 2.0) as writer:
        for number in range(7):
            writer.write(np.full((32, 48, 3), 30 * number, np.uint8))
    return path


def test_every_nth_frame_of_a_video_is_kept_and_read_once(unlabelled, video, monkeypatch):
    found = unlabelled(path=str(video), every=3)
    names = [f"drive.mp4/drive_{number:06d}" for number in (0, 3, 6)]
    assert [sample.name for sample in found.samples] == names
    image, labels = found.samples[1].read()
    assert abs(int(image[5, 5, 0]) - 90) < 5 and (labels == IGNORE).all()
    monkeypatch.setattr(VideoReader, "__iter__", None)
    assert [sample.name for sample in unlabelled(path=str(video), every=3).samples] == names


def test_a_kept_frame_that_is_damaged_is_read_again(unlabelled, video, caplog):
    found = unlabelled(path=str(video))
    path = found.samples[2].image_path
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    unlabelled(path=str(video))
    assert path.read_bytes() == whole and "the frames are read again" in caplog.text


def test_a_video_that_ends_early_is_named_and_counted(run, graph, video, monkeypatch):
    images = [np.full((32, 48, 3), 99, np.uint8)] * 3
    monkeypatch.setattr(VideoReader, "__iter__", lambda self: iter(images))
    sections = {**_loss(graph), "data": {"unlabelled": [{"path": str(video)}]}}
    outcome = run(**sections, training={"steps": 2})
    reason = f"{video} ends early: 3 of its 7 frames can be decoded"
    assert outcome.skipped == {"drive.mp4/drive_000003": reason} and not outcome.passed
    # What is kept says so as well.
    assert run("again", **sections, training={"steps": 2}).skipped == outcome.skipped


def test_images_of_a_bag(unlabelled, tmp_path):
    path = tmp_path / "drive.bag"
    with BagWriter(path) as writer:
        for number in range(4):
            writer.image("/camera", number + 1, np.full((8, 12, 3), number, np.uint8), "rgb8", "")
    found = unlabelled(path=str(path), topic="/camera", every=2)
    assert [sample.read_image()[0, 0, 0] for sample in found.samples] == [0, 2]
    with pytest.raises(ConfigError, match="drive.bag is a bag; say its image 'topic' too"):
        unlabelled(path=str(path))


def test_an_image_that_cannot_be_read_is_skipped_and_named(run, graph, tiny_dataset, tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    for number in range(3):
        content = (tiny_dataset.parent / f"val/images/{number}.png").read_bytes()
        (folder / f"{number}.png").write_bytes(content[: 40 if number == 1 else None])
    data = {"train_split": None, "unlabelled": [{"path": str(folder)}]}
    outcome = run(data=data, training={"steps": 4}, **_loss(graph))
    assert (
        list(outcome.skipped) == ["drive/1.png"]
        and "PNG is cut off" in outcome.skipped["drive/1.png"]
    )
    assert outcome.finished and not outcome.passed


def test_weights_and_sizes_decide_how_often_they_come(configure, graph, tiny_dataset):
    def shares(**sections):
        config = configure(**_loss(graph), training={"batch_size": 5}, **sections)
        data = LearningData(config, {config.data.dataset: str(tiny_dataset.parent)})
        data.prepare()
        stream = data.batches(0)
        drawn = np.concatenate([next(stream).dataset for _ in range(20)])
        return (drawn == 1).mean()

    images = {"path": str(tiny_dataset.parent / "val/images")}
    assert shares(data={"unlabelled": [images]}) == pytest.approx(3 / 9, abs=0.02)
    assert shares(data={"unlabelled": [{**images, "weight": 4}]}) == pytest.approx(0.8, abs=0.02)


# Refusals.


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"data": {"unlabelled": [{"path": "x"}]}}, "data.unlabelled needs loss.teacher"),
        ({"data": {"train_split": None}}, "give a train_split or 'unlabelled' to learn from"),
        (
            {"data": {"second": "right"}, **_loss("x.pb")},
            "loss.teacher cannot label a pair of images",
        ),
        (
            {"data": {"second": "disparity", "unlabelled": [{"path": "x"}]}, **_loss("x.pb")},
            "data.unlabelled has no second images",
        ),
        (
            {**_loss("x.pb"), "data": {"train_split": None, "unlabelled": [{"path": "x"}]},
             "training": {"overfit": 2}},
            "training.overfit learns labels",
        ),
        ({**_loss("x.pb", temperature=0)}, "loss.*teacher.temperature: .*greater than 0"),
    ],
)  # fmt: skip
def test_sections_that_contradict_each_other(configure, sections, message):
    with pytest.raises(ConfigError, match=message):
        configure(**sections)


def test_the_path_alone_is_a_teacher(configure):
    config = configure(loss={"name": "cross_entropy", "teacher": "x.pb"})
    assert config.loss.teacher == TeacherConfig(graph="x.pb")
    again = validate(ExperimentConfig, yaml.safe_load(config.to_yaml()), "test")
    assert again == config
    assert configure().loss.teacher is None


def test_class_weights_cannot_be_counted_without_labels(run, graph, tiny_dataset):
    sections = {**_loss(graph), **_unlabelled_data(tiny_dataset)}
    sections["loss"]["class_weights"] = "enet"
    with pytest.raises(ConfigError, match="'enet' counts training labels, and there are none"):
        run(**sections)


def test_a_missing_or_damaged_graph_is_refused_before_anything_is_written(run, graph, tmp_path):
    with pytest.raises(GraphError, match="cannot read the model .*missing.pb"):
        run(**_loss(tmp_path / "missing.pb"))
    damaged = tmp_path / "damaged.pb"
    damaged.write_bytes(graph.read_bytes()[:-400])
    with pytest.raises(GraphError, match="damaged.pb is no usable frozen graph"):
        run(**_loss(damaged))
    with pytest.raises(GraphError, match="unknown head 'x'"):
        run(**_loss(graph, head="x"))
    assert not (tmp_path / "run").exists()


def test_a_teacher_larger_than_memory_is_refused(run, graph, monkeypatch, tmp_path):
    monkeypatch.setattr(teacher_module, "available_memory", lambda: 1000)
    with pytest.raises(ConfigError, match=r"teacher.pb needs \d+ MiB of memory at least, 0 MiB"):
        run(**_loss(graph))
    assert not (tmp_path / "run").exists()


def test_there_is_memory():
    assert teacher_module.available_memory() > 2**20


def test_nothing_to_look_at_is_refused(unlabelled, tmp_path):
    with pytest.raises(ImageError, match="no images found at"):
        unlabelled(path=str(tmp_path / "nothing"))
    (tmp_path / "empty.mp4").write_bytes(b"no video")
    with pytest.raises(ImageError, match="empty.mp4: cannot be opened as a video"):
        unlabelled(path=str(tmp_path / "empty.mp4"))
    with pytest.raises(ConfigError, match="'camera' has no end"):
        unlabelled(path="camera")
