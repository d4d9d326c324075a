"""Files beside a frozen graph: whose card is read, and what is refused before an engine sees it."""

import zipfile

import pytest

from semseg.errors import EngineError, GraphError
from semseg.runtime.engines import is_jetson_tx2
from semseg.runtime.engines.companions import CARD_FILE, CARD_KEY, checked_companion
from semseg.runtime.graph.frozen_graph import read_frozen_graph
from semseg.runtime.graph.protobuf import encode_bytes


def onnx_file(path, card, key=CARD_KEY):
    entry = encode_bytes(1, key.encode()) + encode_bytes(2, card.encode())
    path.write_bytes(encode_bytes(7, b"") + encode_bytes(14, entry))


def tflite_file(path, card, name=CARD_FILE):
    path.write_bytes(b"\x1c\x00\x00\x00TFL3 and the rest")
    with zipfile.ZipFile(str(path), "a") as archive:
        archive.writestr(name, card)


WRITERS = {
    "onnx": ("colors.onnx", onnx_file),
    "tflite": ("colors.tflite", tflite_file),
    "tflite-int8": ("colors.int8.tflite", tflite_file),
}


@pytest.fixture(params=sorted(WRITERS))
def form(request):
    return request.param


@pytest.fixture
def graph(color_model):
    return read_frozen_graph(color_model())


def test_file_of_the_same_graph_is_taken(form, graph, tmp_path):
    name, write = WRITERS[form]
    write(tmp_path / name, graph.card.to_json())
    assert checked_companion(graph, form) == str(tmp_path / name)


def test_missing_file_names_the_command(form, graph):
    with pytest.raises(EngineError) as caught:
        checked_companion(graph, form)
    assert "--output %s --format %s" % (graph.path, form) in str(caught.value)


def test_file_of_another_graph(form, graph, tmp_path):
    name, write = WRITERS[form]
    write(tmp_path / name, graph.card._replace(graph_sha256="0" * 64).to_json())
    with pytest.raises(GraphError, match="made of another graph, 000000000000...") as caught:
        checked_companion(graph, form)
    assert name in str(caught.value)


def test_card_that_differs(form, graph, tmp_path):
    name, write = WRITERS[form]
    classes = graph.classes._replace(names=("red", "lime", "blue"))
    write(tmp_path / name, graph.card._replace(classes=classes, fit="letterbox").to_json())
    with pytest.raises(GraphError, match="its card differs in classes, fit"):
        checked_companion(graph, form)


def test_card_of_a_newer_format(form, graph, tmp_path):
    name, write = WRITERS[form]
    write(tmp_path / name, graph.card._replace(format=2, version="3.0.0").to_json())
    with pytest.raises(GraphError, match="it needs semseg 3.0.0 or newer"):
        checked_companion(graph, form)


def test_file_without_a_card(form, graph, tmp_path):
    name, write = WRITERS[form]
    write(tmp_path / name, graph.card.to_json(), "another")
    with pytest.raises(GraphError, match="it has no model card"):
        checked_companion(graph, form)


@pytest.mark.parametrize("content", [b"", b"hello world\n", b"\xff" * 40])
def test_file_of_another_kind(form, graph, tmp_path, content):
    (tmp_path / WRITERS[form][0]).write_bytes(content)
    with pytest.raises(GraphError, match="cannot stand in for"):
        checked_companion(graph, form)


def test_jetson_tx2_is_known_by_its_device_tree(tmp_path):
    tree = tmp_path / "compatible"
    assert not is_jetson_tx2(str(tree))
    tree.write_bytes(b"nvidia,p2771-0000\0nvidia,tegra186\0")
    assert is_jetson_tx2(str(tree))
    tree.write_bytes(b"nvidia,p3509-0000+p3668\0nvidia,tegra194\0")
    assert not is_jetson_tx2(str(tree))
