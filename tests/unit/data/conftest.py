"""Tiny datasets, written by the tests that read them."""

import cv2
import numpy as np
import pytest
import yaml


@pytest.fixture
def write_png(tmp_path):
    """Writes uint8 or uint16 pixels, (H, W) or RGB(A), below ``tmp_path``; returns the path."""
    return lambda name, pixels: _write_png(tmp_path / name, pixels)


def _write_png(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.asarray(pixels)
    if pixels.ndim == 3:
        codes = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
        pixels = cv2.cvtColor(pixels, codes[pixels.shape[2]])
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


@pytest.fixture
def declaration():
    """What a small YAML file says: ids 3 and 4 are road, 7 is sky, 0 is ignored."""
    return {
        "name": "tiny",
        "decode": "gray8",
        "classes": [
            {"name": "road", "color": [128, 64, 128], "ids": [3, 4]},
            {"name": "sky", "color": [70, 130, 180], "ids": [7]},
        ],
        "ignored": [0],
        "splits": {
            "train": {"images": "images/train/*.png", "labels": "labels/train/*_ids.png"},
            "val": {"images": "images/val/*.png", "labels": "labels/val/*_ids.png"},
        },
    }


@pytest.fixture
def write_declaration(tmp_path, declaration):
    """Writes the declaration, with changes, and returns the file's path."""

    def write(**changes):
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump({**declaration, **changes}), encoding="utf-8")
        return path

    return write


@pytest.fixture
def tree(tmp_path):
    """A root with three training pairs (a, b, c) and one for validation (d), each 4x6."""
    root = tmp_path / "root"
    for number, (split, name) in enumerate(
        [("train", "a"), ("train", "b"), ("train", "c"), ("val", "d")]
    ):
        image = np.full((4, 6, 3), (10 * number, 20, 30), np.uint8)
        labels = np.full((4, 6), 3, np.uint8)
        labels[:2] = 7
        labels[0, 0] = 0
        _write_png(root / "images" / split / f"{name}.png", image)
        _write_png(root / "labels" / split / f"{name}_ids.png", labels)
    return root
