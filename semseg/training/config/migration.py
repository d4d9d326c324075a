"""Turns the ``args.json`` of a PARIS-sem-seg run into an experiment."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from semseg.data.declarations.strict_yaml import validate
from semseg.errors import ConfigError, unknown_name
from semseg.training.config.experiment import ExperimentConfig

DEFAULTS: dict[str, Any] = {
    "dataset_weights": None,
    "checkpoint_frequency": 5000,
    "learning_rate": 1e-3,
    "train_iterations": 70000,
    "decay_start_iteration": 40000,
    "decay_multiplier": 1e-3,
    "batch_size": 5,
    "loading_threads": 8,
    "model_type": "res_net_style",
    "model_params": None,
    "loss_type": "cross_entropy_loss",
    "flip_augment": False,
    "gamma_augment": False,
    "crop_augment": 0,
    "fixed_crop_augment_height": 0,
    "fixed_crop_augment_width": 0,
}
"""PARIS-sem-seg's options and their defaults; the files of older versions lack some."""
REQUIRED = ("train_set", "dataset_config")
FLAGS = {"experiment_root": "--workdir", "dataset_root": "--root", "resume": "--resume"}
"""Options that are flags of ``scripts/train.py`` here."""
DATASETS = {"cityscapes": "cityscapes", "mapillary": "mapillary_vistas_12", "bdd": "bdd100k"}
NETWORKS = {"res_net_style": "resnet_baseline"}
NETWORK_OPTIONS = {
    "base_channel_count": "base_width",
    "bottleneck_blocks": "bottleneck",
    "separable_conv": "separable",
    "gn_groups": "group_count",
    "gn_channels": "group_width",
}
LOSSES: dict[str, dict[str, Any]] = {
    "cross_entropy_loss": {"name": "cross_entropy"},
    "bootstrapped_cross_entropy_loss": {"name": "bootstrapped_cross_entropy", "fraction": 0.25},
    "focal_loss": {"name": "focal", "gamma": 2.0},
}
BASE_WIDTH = 48
FLIP, GAMMA = 0.5, 0.1
"""Probability and strength that ``flip_augment`` and ``gamma_augment`` switch on."""
REMARKS = {
    "bootstrapped_cross_entropy_loss": "the worst pixels are those of each image, not of the batch",
    "mapillary": "mapillary_vistas_12 has all 65 classes; PARIS-sem-seg merges them into 19",
}


class Migration(NamedTuple):
    """What became of an ``args.json``.

    Attributes:
      config: the experiment.
      remarks: one line for each option that is said elsewhere, or that means something a
        little different.
      lost: one line for each option that has no equal.
    """

    config: ExperimentConfig
    remarks: list[str]
    lost: list[str]


def migrate(path: str | Path, name: str, size: tuple[int, int]) -> Migration:
    """Reads an ``args.json``.

    Args:
      path: the file.
      name: the experiment's name.
      size: (height, width) of the images of the run, which the file does not say.

    Raises:
      ConfigError: no such file, no JSON object, or a value that cannot be.
    """
    given = _read(path)
    options = {**DEFAULTS, **given}
    _check_numbers(options)
    stems = [Path(entry).stem for entry in _listed(options["dataset_config"])]
    loss = _equal("loss_type", options["loss_type"], LOSSES)
    network, lost = _network(options)
    values = {
        "name": name,
        "data": {**_data(options, stems), "size": size},
        "augmentation": _augmentation(options, size),
        "network": network,
        "loss": loss,
        "optimizer": {"name": "adam", "learning_rate": options["learning_rate"]},
        "schedule": _schedule(options),
        "training": {
            "steps": options["train_iterations"],
            "epoch_steps": options["checkpoint_frequency"] or options["train_iterations"],
            "batch_size": options["batch_size"],
            "threads": options["loading_threads"],
        },
    }
    remarks = [f"{key} is the flag {FLAGS[key]} here" for key in FLAGS if options.get(key)]
    remarks += [
        f"{word}: {REMARKS[word]}" for word in (*stems, options["loss_type"]) if word in REMARKS
    ]
    known = {*DEFAULTS, *REQUIRED, *FLAGS}
    lost += [f"{key}: {value!r}" for key, value in given.items() if key not in known]
    lost += _lost_data(options, stems)
    return Migration(validate(ExperimentConfig, values, path), remarks, lost)


def _read(path: str | Path) -> dict[str, Any]:
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}")
    missing = [key for key in REQUIRED if not isinstance(given, dict) or not given.get(key)]
    if missing:
        raise ConfigError(f"{path}: no {' and no '.join(missing)}: is it PARIS-sem-seg's?")
    return given


def _check_numbers(options: Mapping[str, Any]) -> None:
    for key, default in DEFAULTS.items():
        if isinstance(default, (int, float)) and not isinstance(options[key], (int, float)):
            raise ConfigError(f"{key}: expected a number, found {options[key]!r}")


def _listed(value: Any) -> list[str]:
    """Older versions have one dataset and no list."""
    return [str(entry) for entry in (value if isinstance(value, list) else [value])]


def _equal(option: str, value: Any, table: Mapping[str, Any]) -> Any:
    if str(value) not in table:
        raise ConfigError(unknown_name(option, str(value), table))
    return table[value]


def _data(options: Mapping[str, Any], stems: list[str]) -> dict[str, Any]:
    datasets = [DATASETS.get(stem, f"{stem}.yaml") for stem in stems]
    splits = [Path(entry).stem for entry in _listed(options["train_set"])]
    weights = options["dataset_weights"] or [None] * len(datasets)
    if not len(datasets) == len(splits) == len(weights):
        raise ConfigError(
            f"dataset_config has {len(datasets)} entries, train_set {len(splits)}, "
            f"dataset_weights {len(weights)}"
        )
    if len(datasets) == 1:
        return {"dataset": datasets[0], "train_split": splits[0]}
    return {
        "heads": "own",
        "datasets": [
            {"dataset": dataset, "train_split": split, "weight": weight, "head": stem}
            for dataset, split, weight, stem in zip(datasets, splits, weights, stems, strict=True)
        ],
    }


def _augmentation(options: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    crop: tuple[int, int] | None = (
        options["fixed_crop_augment_height"],
        options["fixed_crop_augment_width"],
    )
    border = options["crop_augment"]
    if border:
        crop = (size[0] - border, size[1] - border)
    return {
        "crop": crop if crop != (0, 0) else None,
        "flip": FLIP if options["flip_augment"] else 0.0,
        "gamma": GAMMA if options["gamma_augment"] else 0.0,
    }


def _network(options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Returns the network's section, and what of ``model_params`` has no equal."""
    params = options["model_params"] or {}
    try:
        # Dumped after it was evaluated; a file written by hand may have the text.
        params = dict(ast.literal_eval(params) if isinstance(params, str) else params)
    except (ValueError, SyntaxError, TypeError):
        raise ConfigError(f"model_params: expected a dictionary, found {params!r}")
    section = {
        "name": _equal("model_type", options["model_type"], NETWORKS),
        "base_width": BASE_WIDTH,
    }
    section |= {NETWORK_OPTIONS[key]: params[key] for key in params if key in NETWORK_OPTIONS}
    lost = [f"model_params {key}: {params[key]!r}" for key in params if key not in NETWORK_OPTIONS]
    return section, lost


def _schedule(options: Mapping[str, Any]) -> dict[str, Any]:
    start, steps = options["decay_start_iteration"], options["train_iterations"]
    if not 0 <= start < steps:
        return {"name": "constant"}
    return {
        "name": "exponential",
        "decay_start": start,
        "final_fraction": options["decay_multiplier"],
    }


def _lost_data(options: Mapping[str, Any], stems: list[str]) -> list[str]:
    """What of the data has no equal: own datasets, and file lists that are no split."""
    lost = [
        f"dataset_config {stem}: declare it in {stem}.yaml, see docs/dataset_format.md"
        for stem in stems
        if stem not in DATASETS
    ]
    lost += [
        f"train_set {entry}: the files of a split are in the dataset's declaration"
        for entry in _listed(options["train_set"])
        if Path(entry).stem != "train"
    ]
    return lost
