"""The reader of frozen graphs: what it reads, what it refuses, and that nothing crashes it."""

import hashlib
import json
import time

import numpy as np
import pytest

from semseg.errors import GraphError
from semseg.runtime.graph.frozen_graph import Card, append_card, graph_digest, read_frozen_graph
from semseg.runtime.graph.protobuf import encode_bytes, encode_number


def read(tmp_path, data):
    path = tmp_path / "model.pb"
    path.write_bytes(data)
    return read_frozen_graph(str(path))


def refusal(tmp_path, data):
    with pytest.raises(GraphError) as caught:
        read(tmp_path, data)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "model.pb") in message
    return message


def test_reads_tables_card_and_inputs(graphs, tmp_path):
    plain = graphs.color_graph(sizes=(None, 64, 96, 3))
    card = graphs.color_card(size=(64, 96), training={"data": "none", "terms": "free"})
    graph = read(tmp_path, append_card(plain, card))
    assert graph.classes == graphs.classes  # So BGR was turned into RGB, and void left out.
    assert graph.card == card._replace(graph_sha256=hashlib.sha256(plain).hexdigest())
    assert graph.inputs[0][:] == ("input", "uint8", (None, 64, 96, 3))
    assert graph.inputs[0].size == (64, 96)
    assert graph.has_labels
    assert {"Softmax", "ArgMax", "Const"} <= graph.ops


def test_digest_is_that_of_the_graph_without_card(graphs):
    plain = graphs.color_graph()
    carded = append_card(plain, graphs.color_card())
    assert len(carded) > len(plain)
    assert graph_digest(carded) == graph_digest(plain) == hashlib.sha256(plain).hexdigest()


def test_paris_graph_has_no_card_and_no_labels(graphs, tmp_path):
    graph = read(tmp_path, graphs.color_graph(labels=False))
    assert graph.card is None
    assert not graph.has_labels
    assert graph.inputs[0].size is None
    assert graph.classes.names == ("red", "green", "blue")


def test_tables_are_found_through_identities_and_number_lists(graphs, tmp_path):
    # As TensorFlow may store it: numbers of 7 bits per byte (BGR), the last one repeated.
    numbers = b"\x02\x01\xfa\x01" + b"\x04\xf0\x01\x03" + b"\xe6\x01\x06\x05" + b"\x00"
    tensor = encode_number(1, graphs.uint8) + encode_bytes(2, graphs.shape((4, 3)))
    tensor += encode_bytes(7, numbers)
    attrs = graphs.type_attr("dtype", graphs.uint8) + graphs.attr("value", encode_bytes(8, tensor))
    nodes = graphs.network_nodes((None, None, None, 3)) + [
        graphs.node("table", "Const", attrs=attrs),
        graphs.node("hop", "Identity", ["table"], graphs.type_attr("T", graphs.uint8)),
        graphs.node("id_to_rgb", "Identity", ["hop:0"], graphs.type_attr("T", graphs.uint8)),
        graphs.table_nodes()[1],
    ]
    assert read(tmp_path, b"".join(nodes)).classes == graphs.classes


def test_missing_file_and_folder():
    with pytest.raises(GraphError, match="cannot read the model nowhere.pb: No such file"):
        read_frozen_graph("nowhere.pb")
    with pytest.raises(GraphError, match="cannot read the model /: Is a directory"):
        read_frozen_graph("/")


@pytest.mark.parametrize("content", [b"hello world\n", b"\x08\x01\x12\x04test", b"\xff" * 50])
def test_files_of_another_kind(tmp_path, content):
    assert "is no usable frozen graph" in refusal(tmp_path, content)


def test_field_zero_would_hide_the_rest_from_tensorflow(graphs, tmp_path):
    hidden = graphs.color_graph() + b"\x00\x00" + graphs.constant("x", np.zeros(1), 2)
    assert "field number 0" in refusal(tmp_path, hidden)


def test_empty_file(tmp_path):
    assert "it has no nodes" in refusal(tmp_path, b"")


def test_every_truncation_is_refused(graphs, tmp_path):
    data = append_card(graphs.color_graph(), graphs.color_card())
    for length in range(0, len(data), 37):
        refusal(tmp_path, data[:length])


def test_graph_without_input(graphs, tmp_path):
    data = graphs.color_graph().replace(b"\x05input", b"\x05image")
    assert "no tensor 'input'; its inputs are: image" in refusal(tmp_path, data)


def test_op_that_inference_does_not_need(graphs, tmp_path):
    extra = [graphs.node("evil", "ReadFile", ["axis"])]
    assert "it uses 'ReadFile'" in refusal(tmp_path, graphs.color_graph(extra=extra))


def test_function_library(graphs, tmp_path):
    library = encode_bytes(2, encode_bytes(1, b""))
    assert "function library" in refusal(tmp_path, graphs.color_graph() + library)


def test_unknown_placeholder(graphs, tmp_path):
    extra = [graphs.placeholder("is_training", 10, ())]
    assert "needs input 'is_training'" in refusal(tmp_path, graphs.color_graph(extra=extra))


def test_float_or_grey_input(graphs, tmp_path):
    data = graphs.color_graph(sizes=(None, None, None, 1))
    assert "expected uint8 [N, H, W, 3]" in refusal(tmp_path, data)


def test_loops_and_unknown_inputs(graphs, tmp_path):
    kind = graphs.type_attr("T", graphs.float32)
    loop = [graphs.node("a", "Relu", ["b"], kind), graphs.node("b", "Relu", ["a"], kind)]
    assert "form a loop" in refusal(tmp_path, graphs.color_graph(extra=loop))
    loose = [graphs.node("a", "Relu", ["nobody:0"], kind)]
    assert "unknown input 'nobody'" in refusal(tmp_path, graphs.color_graph(extra=loose))
    twin = [graphs.node("cast", "Relu", ["scale"], kind)]
    assert "two of its nodes have one name" in refusal(tmp_path, graphs.color_graph(extra=twin))


def test_constants_whose_bytes_contradict_their_shape(graphs, tmp_path):
    good = graphs.constant("extra", np.zeros((2, 3), np.float32), graphs.float32)
    assert read(tmp_path, graphs.color_graph(extra=[good]))
    short = good.replace(graphs.shape((2, 3)), graphs.shape((2, 4)))
    message = refusal(tmp_path, graphs.color_graph(extra=[short]))
    assert "constant 'extra': 24 bytes do not hold float32 of shape [2, 4]" in message


def test_constant_that_unfolds_to_gigabytes(graphs, tmp_path):
    tensor = encode_number(1, graphs.float32) + encode_bytes(2, graphs.shape((100000, 100000)))
    tensor += encode_bytes(5, np.float32(1).tobytes())
    attrs = graphs.type_attr("dtype", graphs.float32)
    huge = graphs.node("huge", "Const", attrs=attrs + graphs.attr("value", encode_bytes(8, tensor)))
    assert "unfold to 38146 MiB" in refusal(tmp_path, graphs.color_graph(extra=[huge]))


@pytest.mark.parametrize(
    ("dtype", "array", "part"),
    [
        (1, np.zeros((4, 3), np.float32), "a table is of integers or strings; found float32"),
        (14, np.zeros((4, 3), np.uint16), "found bfloat16 [4, 3]"),
        (4, np.zeros((99999, 3), np.uint8), "found uint8 [99999, 3]"),
        (4, np.zeros((4, 4), np.uint8), "'id_to_rgb' is no table of colours"),
        (4, np.zeros((3, 3), np.uint8), "no list of 3 names"),
    ],
)
def test_tables_of_another_kind(graphs, tmp_path, dtype, array, part):
    nodes = graphs.network_nodes((None, None, None, 3)) + graphs.table_nodes()[1:]
    assert part in refusal(tmp_path, b"".join([*nodes, graphs.constant("id_to_rgb", array, dtype)]))


def test_unknown_data_type(graphs, tmp_path):
    extra = [graphs.node("a", "Relu", ["scaled"], graphs.type_attr("T", 99))]
    assert "data type 99" in refusal(tmp_path, graphs.color_graph(extra=extra))


def test_card_that_disagrees_with_the_tables(graphs, tmp_path):
    other = graphs.classes._replace(names=("red", "lime", "blue"))
    data = append_card(graphs.color_graph(), graphs.color_card(classes=other))
    message = refusal(tmp_path, data)
    assert "class 1 is ('green', (3, 240, 4)) in the table, ('lime', (3, 240, 4))" in message


def test_change_after_freezing(graphs, tmp_path):
    data = append_card(graphs.color_graph(), graphs.color_card())
    weight = np.float32(0.05).tobytes()
    assert data.count(weight) == 1
    message = refusal(tmp_path, data.replace(weight, np.float32(0.06).tobytes()))
    assert "changed or damaged after freezing" in message


def test_card_of_a_newer_format_says_which_version_reads_it(graphs, tmp_path):
    data = append_card(graphs.color_graph(), graphs.color_card(format=2, version="3.1.0"))
    assert "format 2, this version reads up to 1; it needs semseg 3.1.0" in refusal(tmp_path, data)


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("fit", "crop", "'fit' is 'crop'; this version knows squash, letterbox"),
        ("size", [256], "size is [256]"),
        ("name", 3, "'name' is 3"),
        ("classes", [], "classes: a class table has 1 to 255 classes"),
        ("format", "1", "no format number"),
    ],
)
def test_damaged_cards(graphs, key, value, part):
    record = json.loads(graphs.color_card().to_json())
    record[key] = value
    with pytest.raises(GraphError) as caught:
        Card.from_json(json.dumps(record))
    assert part in str(caught.value)


def test_card_survives_json(graphs):
    card = graphs.color_card(size=(3, 4), scores=({"mean_iou": 0.5},))
    assert Card.from_json(card.to_json()) == card
    later = dict(json.loads(card.to_json()), new_key=1)
    assert Card.from_json(json.dumps(later)) == card


def mutate(data, rng):
    """Overwrites, removes, repeats or inserts a few bytes."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(len(data))
        length = rng.randint(1, 9)
        kind = rng.randint(4)
        if kind == 0:
            data[start] = rng.randint(256)
        elif kind == 1:
            del data[start : start + length]
        elif kind == 2:
            data[start:start] = data[start : start + length]
        else:
            data[start:start] = bytes(bytearray(rng.randint(0, 256, length).tolist()))
    return bytes(data)


@pytest.mark.parametrize("with_card", [True, False])
def test_mutated_graphs_are_refused_or_read(graphs, tmp_path, with_card):
    data = graphs.color_graph()
    data = append_card(data, graphs.color_card()) if with_card else data
    rng = np.random.RandomState(7)
    read_ones = 0
    for _ in range(100):
        mutant = mutate(data, rng)
        start = time.monotonic()
        try:
            read_ones += read(tmp_path, mutant) is not None
        except GraphError as error:
            assert "\n" not in str(error)  # noqa: PT017
        assert time.monotonic() - start < 5
    assert read_ones < 60
