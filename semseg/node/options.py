"""The segmenter's private parameters: names, types, defaults and ranges."""

import logging
import math
import re
from typing import Any, Dict, Mapping, NamedTuple, Sequence

from semseg.errors import ConfigError, unknown_name
from semseg.node.parameters import typed_record, unknown_parameter
from semseg.runtime.images.stretch import STRETCHES
from semseg.runtime.images.view import ROTATIONS, Margins

_log = logging.getLogger(__name__)

RAW, COMPRESSED = "raw", "compressed"
CAMERA, NETWORK = "camera", "network"
LABEL_ENCODINGS = ("mono8", "16UC1", "32SC1")


class ModelOptions(NamedTuple):
    """Which graphs are used and how they are run; docs/segmenter_node.md explains each."""

    model: str = "reduced"
    models: dict = {}
    model_folders: list = []
    target_rate: float = 0.0
    fallback_model: str = ""
    input_size: str = ""
    engine: str = "auto"
    precision: str = "auto"
    threads: int = 0
    gpu_memory_fraction: float = 0.0
    head: str = ""


class CameraOptions(NamedTuple):
    """How a camera is read, seen and answered: ``~x`` of all cameras, ``~NAME/x`` of one."""

    transport: str = RAW
    stretch: str = "auto"
    max_age: float = 0.0
    max_rate: float = 0.0
    weight: float = 1.0
    sync_slop: float = 0.0
    keep_subscribed: bool = False
    crop: str = ""
    rotation: int = 0
    ignore_mask: str = ""
    output_size: str = CAMERA
    min_confidence: float = 0.0
    label_encoding: str = "mono8"
    masks: list = []
    groups: dict = {}
    overlay_alpha: float = 0.5
    overlay_legend: bool = True


class NodeOptions(NamedTuple):
    """All parameters of the node.

    Attributes:
      model: those of the model.
      cameras: camera name -> its options; the empty name stands for the single topic ``image``.
    """

    model: ModelOptions
    cameras: Mapping[str, CameraOptions]


class _CameraNames(NamedTuple):
    cameras: list = []


_CHOICES: Dict[str, Any] = {
    "transport": (RAW, COMPRESSED),
    "stretch": STRETCHES,
    "rotation": ROTATIONS,
    "output_size": (CAMERA, NETWORK),
    "label_encoding": LABEL_ENCODINGS,
}
_RANGES = {
    "threads": (0, 1024),
    "gpu_memory_fraction": (0, 1),
    "target_rate": (0, math.inf),
    "weight": (0.01, 100),
    "sync_slop": (0, math.inf),
    "max_age": (0, math.inf),
    "max_rate": (0, math.inf),
    "min_confidence": (0, 1),
    "overlay_alpha": (0, 1),
}


def node_options(values: Mapping[str, Any]) -> NodeOptions:
    """Sorts private parameters, nested as their names are, into options.

    Those that it does not know are warned about.

    Raises:
      ConfigError: a value has the wrong type or is out of its range, or a camera's name cannot
        be part of a topic's.
    """
    names = _checked_names(typed_record(_CameraNames, values).cameras)
    roots = {name.split("/")[0] for name in names}
    common = {name: value for name, value in values.items() if name not in roots}
    _warn_of_unknown(
        common, ModelOptions._fields + CameraOptions._fields + _CameraNames._fields, ""
    )
    model = _checked(typed_record(ModelOptions, common), "")
    if bool(model.target_rate) != bool(model.fallback_model):
        raise ConfigError(
            "parameters ~target_rate and ~fallback_model belong together; found %g and '%s'"
            % (model.target_rate, model.fallback_model)
        )
    cameras = {name: _camera_options(common, values, name) for name in names}
    return NodeOptions(model, cameras or {"": _checked_camera(common, "")})


def _checked_names(names: Sequence[Any]) -> Sequence[str]:
    for name in names:
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*", str(name)):
            raise ConfigError("parameter ~cameras: '%s' cannot be part of a topic's name" % name)
        if names.count(name) > 1:
            raise ConfigError("parameter ~cameras: '%s' occurs more than once" % name)
    return names


def _camera_options(common, values, name):
    own = values
    for part in name.split("/"):
        own = own.get(part, {}) if isinstance(own, dict) else {}
    own = own if isinstance(own, dict) else {}
    _warn_of_unknown(own, CameraOptions._fields, name + "/")
    return _checked_camera(dict(common, **own), name + "/")


def _checked_camera(values, prefix):
    options = _checked(typed_record(CameraOptions, values, prefix), prefix)
    try:
        Margins.parse(options.crop)
    except ConfigError as error:  # Here, where the camera is known and no model is loaded yet.
        raise ConfigError("parameter ~%scrop: %s" % (prefix, error))
    return options


def _warn_of_unknown(values, known, prefix):
    for name in sorted(set(values) - set(known)):
        _log.warning("%s", unknown_parameter(name, known, prefix))


def _checked(options, prefix):
    for name, value in options._asdict().items():
        if name in _CHOICES and value not in _CHOICES[name]:
            found = unknown_name(name.replace("_", " "), value, _CHOICES[name])
            raise ConfigError("parameter ~%s%s: %s" % (prefix, name, found))
        low, high = _RANGES.get(name, (-math.inf, math.inf))
        if name in _RANGES and not low <= value <= high:
            expected = "%g or more" % low if high == math.inf else "%g to %g" % (low, high)
            raise ConfigError(
                "parameter ~%s%s: expected %s, found %g" % (prefix, name, expected, value)
            )
    return options
