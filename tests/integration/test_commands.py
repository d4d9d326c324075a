"""The command lines, from labelled images to a scored bag, on a dataset learnt in seconds.

Its classes differ in colour alone, and in a way that swapped channels would confuse.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

SCRIPTS = Path(__file__).parents[2] / "scripts"
CLASSES = [
    {"name": "road", "color": [200, 40, 40]},
    {"name": "sky", "color": [40, 40, 200]},
    {"name": "car", "color": [40, 200, 40]},
]
VOID = 7
SIZE = (32, 48)
TOPICS = ("--image-topic", "/camera/image_raw", "--label-topic", "/camera/labels")


def scene(seed):
    """Sky over road with a car and a void frame; returns RGB image and label file."""
    random = np.random.default_rng(seed)
    labels = np.zeros(SIZE, np.uint8)
    labels[: random.integers(8, 20)] = 1
    top, left = random.integers(18, 22), random.integers(2, 30)
    labels[top : top + 8, left : left + 14] = 2
    colors = np.array([entry["color"] for entry in CLASSES], np.float64)
    image = (colors[labels] + random.normal(0, 8, (*SIZE, 3))).clip(0, 255).astype(np.uint8)
    labels[:, 0] = VOID
    return image, labels


def write_dataset(folder):
    for split, seeds in {"train": range(6), "val": range(10, 13)}.items():
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True)
        for seed in seeds:
            image, labels = scene(seed)
            cv2.imwrite(str(folder / split / "images" / f"{seed:02d}.png"), image[..., ::-1])
            cv2.imwrite(str(folder / split / "labels" / f"{seed:02d}.png"), labels)
    declaration = {
        "name": "toy",
        "decode": "gray8",
        "classes": CLASSES,
        "ignored": [VOID],
        "splits": {
            split: {"images": f"{split}/images/*.png", "labels": f"{split}/labels/*.png"}
            for split in ("train", "val")
        },
    }
    (folder / "toy.yaml").write_text(yaml.safe_dump(declaration))


def write_experiment(folder):
    experiment = {
        "name": "toy",
        "data": {"dataset": str(folder / "toy.yaml"), "size": list(SIZE)},
        "augmentation": {"crop": list(SIZE), "flip": 0.5},
        "network": {"name": "color_position", "hidden_width": 8, "hidden_layers": 1},
        "loss": {"name": "cross_entropy"},
        "optimizer": {"name": "adam", "learning_rate": 0.05},
        "schedule": {"name": "constant"},
        "training": {"steps": 40, "epoch_steps": 40, "batch_size": 2},
    }
    (folder / "toy_experiment.yaml").write_text(yaml.safe_dump(experiment))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with the dataset, a trained run and its frozen graph."""
    folder = tmp_path_factory.mktemp("workspace")
    write_dataset(folder)
    write_experiment(folder)
    experiment = folder / "toy_experiment.yaml"
    for script, flags in {
        "train": ["--config", experiment, "--root", folder, "--workdir", folder / "run"],
        "freeze": ["--workdir", folder / "run", "--output", folder / "toy.pb"],
    }.items():
        command = [sys.executable, SCRIPTS / f"{script}.py", *flags]
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def bag(workspace):
    """A bag of the validation split."""
    path = workspace / "toy.bag"
    flags = ["--dataset", workspace / "toy.yaml", "--root", workspace, "--output", path]
    subprocess.run([sys.executable, SCRIPTS / "make_bag.py", *flags], check=True)
    return path


def dataset_flags(workspace):
    return ("--dataset", workspace / "toy.yaml", "--root", workspace)


def test_the_split_is_scored_and_its_predictions_saved(command, workspace, tmp_path):
    report_path, predictions = tmp_path / "report.json", tmp_path / "predictions"
    result = command(
        "evaluate",
        *("--model", workspace / "toy.pb", *dataset_flags(workspace), "--report", report_path),
        *("--save-predictions", predictions, "--kind", "labels", "--min-miou", "0.9"),
    )
    assert result.status == 0
    report = json.loads(report_path.read_text())
    assert report["passed"] and report["frames"] == 3 and report["skipped"] == 0
    assert report["mean_iou"] > 0.95 and report["loss"] < 0.5
    assert np.sum(report["confusion"]) == 3 * SIZE[0] * (SIZE[1] - 1)
    assert report["model"]["input_size"] == "32x48"
    _, labels = scene(10)
    found = cv2.imread(str(predictions / "labels" / "val" / "10.png"), cv2.IMREAD_UNCHANGED)
    assert (found == labels)[labels != VOID].mean() > 0.95


def test_a_run_folder_is_scored_like_its_graph(command, workspace, tmp_path):
    scores = []
    for model in ("toy.pb", "run"):
        report = tmp_path / f"{model}.json"
        flags = ("--model", workspace / model, *dataset_flags(workspace), "--report", report)
        assert command("evaluate", *flags).status == 0
        scores.append(json.loads(report.read_text())["mean_iou"])
    assert scores[0] == scores[1]


def test_a_score_under_the_bar_is_status_1(command, workspace):
    coarse = ("--size", "8x8")  # Borders move: no perfect score.
    flags = ("--model", workspace / "toy.pb", *dataset_flags(workspace), "--min-miou", "1", *coarse)
    assert command("evaluate", *flags).status == 1


def test_an_unreadable_image_is_named_counted_and_status_1(command, workspace, tmp_path):
    write_dataset(tmp_path)
    damaged = tmp_path / "val" / "images" / "11.png"
    damaged.write_bytes(damaged.read_bytes()[:100])
    report_path = tmp_path / "report.json"
    result = command(
        "evaluate",
        *("--model", workspace / "toy.pb", "--dataset", tmp_path / "toy.yaml"),
        *("--root", tmp_path, "--report", report_path),
    )
    assert result.status == 1
    report = json.loads(report_path.read_text())
    assert (report["frames"], report["skipped"], report["passed"]) == (2, 1, False)
    assert report["skipped_frames"][0]["name"] == "val/11"
    assert "skipped val/11" in result.out and str(damaged) in result.out


def test_images_become_label_colour_and_overlay_images(command, workspace, tmp_path):
    images = workspace / "val" / "images"
    model = ("--model", workspace / "toy.pb")
    result = command("predict", *model, "--images", f"{images}/*.png", "--output", tmp_path / "out")
    assert result.status == 0 and "3 of 3 frames" in result.out
    image, labels = scene(12)
    found = cv2.imread(str(tmp_path / "out" / "labels" / "12.png"), cv2.IMREAD_UNCHANGED)
    assert (found == labels)[labels != VOID].mean() > 0.95
    color = cv2.imread(str(tmp_path / "out" / "colors" / "12.png"))[..., ::-1]
    assert color[2, 20].tolist() == CLASSES[1]["color"]
    overlay = cv2.imread(str(tmp_path / "out" / "overlay" / "12.png"))[..., ::-1]
    expected = (image[2, 20].astype(float) + CLASSES[1]["color"]) / 2
    np.testing.assert_allclose(overlay[2, 20], expected, atol=1)


def test_a_bag_scores_like_the_images_in_it(command, workspace, bag, tmp_path):
    report_path, model = tmp_path / "report.json", ("--model", workspace / "toy.pb")
    result = command("evaluate_bag", "--bag", bag, *model, *TOPICS, "--report", report_path)
    assert result.status == 0
    from_bag = json.loads(report_path.read_text())
    command("evaluate", *model, *dataset_flags(workspace), "--no-loss", "--report", report_path)
    from_files = json.loads(report_path.read_text())
    assert from_bag["confusion"] == from_files["confusion"]
    assert from_bag["per_frame"]["stamp_ns"][1] - from_bag["per_frame"]["stamp_ns"][0] == 10**8


def test_a_bag_without_labels_tells_shares_and_confidence(command, workspace, bag, tmp_path):
    report_path, flags = tmp_path / "report.json", ("--bag", bag, *TOPICS[:2])
    model = ("--model", workspace / "toy.pb")
    assert command("evaluate_bag", *model, *flags, "--report", report_path).status == 0
    report = json.loads(report_path.read_text())
    assert report["mean_iou"] is None and report["frames"] == 3
    _, labels = scene(10)
    share = (labels == 1).mean() * SIZE[1] / (SIZE[1] - 1)
    assert report["per_frame"]["class_share"]["sky"][0] == pytest.approx(share, abs=0.05)
    assert 0.5 < report["confidence"] <= 1


MODEL = "--model {root}/toy.pb"
SPLIT = "--dataset {root}/toy.yaml --root {root}"
IMAGES = "--images {root}/val/images --output {root}/new"
MISTAKES = {
    "no model": (f"evaluate --model no.pb {SPLIT}", "/no.pb: No such file"),
    "no profile": (f"evaluate --model reducd {SPLIT}", "did you mean 'reduced'?"),
    "no dataset": (f"evaluate {MODEL} --dataset toi", "unknown dataset 'toi'"),
    "no root": (f"evaluate {MODEL} --dataset {{root}}/toy.yaml", "--root"),
    "wrong root": (f"evaluate {MODEL} {SPLIT}/no", "/no: no such folder"),
    "no split": (f"evaluate {MODEL} {SPLIT} --split tst", "available: train, val"),
    "no engine": (f"evaluate {MODEL} {SPLIT} --engine no", "'no'; available: "),
    "no class map": (f"evaluate {MODEL} {SPLIT} --class-map no.yaml", "no.yaml"),
    "wrong size": (f"predict {MODEL} {IMAGES} --size 9", "HEIGHTxWIDTH"),
    "wrong crop": (f"predict {MODEL} {IMAGES} --crop 9", "TOP,BOTTOM"),
    "no images": (f"predict {MODEL} --images no/*.png --output new", "no/*.png"),
    "old output": (f"predict {MODEL} --images {{root}}/val/images --output {{root}}", "--force"),
    "old bag": (f"make_bag {SPLIT} --output {{root}}/toy.bag", "toy.bag exists already"),
    "no bag": (f"evaluate_bag {MODEL} --bag no.bag --image-topic /x", "no.bag: no such bag"),
    "not a bag": (
        f"evaluate_bag {MODEL} --bag {{root}}/toy.pb --image-topic /x",
        "toy.pb is no ROS 1 bag",
    ),
    "no topic": (
        f"evaluate_bag {MODEL} --bag {{root}}/toy.bag --image-topic /x",
        "has no topic '/x'; it has: /camera/camera_info (sensor_msgs/CameraInfo), ",
    ),
    "no image topic": (
        f"evaluate_bag {MODEL} --bag {{root}}/toy.bag --image-topic /camera/camera_info",
        "is sensor_msgs/CameraInfo, expected sensor_msgs/Image",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_status_2(command, workspace, bag, name):
    line, expected = MISTAKES[name]
    script, *flags = line.format(root=workspace).split()
    result = command(script, *flags)
    assert result.status == 2
    assert result.err.startswith("error: ") and result.err.count("\n") == 1
    assert expected in result.err
    assert result.out == ""


@pytest.mark.parametrize("length", [0, 100, 2000])
def test_a_cut_graph_is_one_line_and_status_2(command, workspace, tmp_path, length):
    cut = tmp_path / "cut.pb"
    cut.write_bytes((workspace / "toy.pb").read_bytes()[:length])
    result = command("evaluate", "--model", cut, *dataset_flags(workspace))
    assert result.status == 2
    assert result.err.startswith("error: ") and result.err.count("\n") == 1
    assert "cut.pb" in result.err


@pytest.mark.parametrize("script", sorted(path.stem for path in SCRIPTS.glob("*.py")))
def test_every_script_helps_with_an_example(command, script):
    result = command(script, "--help")
    assert result.status == 0
    assert "\nexample" in result.out and f"scripts/{script}.py" in result.out
