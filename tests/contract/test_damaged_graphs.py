"""Damaged frozen graphs: each is refused by ``GraphError`` or works; none kills, hangs or swells.

Three in four are damaged in their structure, the others in any of their bytes. All are loaded and
run in TensorFlow 1.15 in one child process, which a death ends and a new one follows.
"""

import select
from collections import Counter

import keras
import numpy as np
import pytest
from tensorflow.compat.v1 import GraphDef

from semseg.classes import ClassTable
from semseg.runtime.graph.card import Card, append_card
from semseg.runtime.graph.structure import ALLOWED_OPS
from semseg.training.export.graph import graph_bytes

CLASSES = ClassTable.create(["sky", "road", "car"], [(1, 2, 3), (40, 50, 60), (7, 8, 9)])
CARD = Card(name="damaged", network={}, classes=CLASSES)
GRAPHS = [("resnet_baseline", None), ("fast_scnn", None), ("fast_scnn", (24, 48))]
SLOW = [pytest.mark.slow, pytest.mark.timeout(3600)]
MAX_SECONDS, MAX_MIB = 5, 1024
START_SECONDS = 60

HOSTILE = [-(2**63), -(2**31), -2, -1, 0, 1, 2, 3, 4, 7, 64, 1000]
HOSTILE += [2**20, 2**31 - 1, 2**40, 2**62]
TEXTS = [b"", b"SAME", b"VALID", b"EXPLICIT", b"NHWC", b"NCHW", b"REFLECT", b"\xff"]
DATA_TYPES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 17, 18, 19, 20, 21, 22, 23, 101]


class Mutator:
    """Gives mutants of a graph; the same ones for the same seed.

    Attributes:
      graph: the serialized GraphDef, without card.
      card: what makes half of the mutants pass as undamaged; the others have none.
    """

    def __init__(self, graph, card, seed):
        self.graph, self.card = graph, card
        self._random = np.random.default_rng(seed)
        self._nodes = [self._change_op, self._change_input, self._drop_input, self._swap_inputs]
        self._nodes += [self._change_attribute] * 4 + [self._copy_attribute, self._drop_attribute]
        self._nodes += [self._change_constant] * 4 + [self._reshape_constant, self._remove_node]

    def mutant(self):
        """Returns damaged bytes; three in four are damaged outside weights, with certainty."""
        data = self._changed_nodes() if self._random.integers(4) else self._changed_bytes()
        return append_card(data, self.card) if self._random.integers(2) else data

    def _changed_nodes(self):
        graph = GraphDef.FromString(self.graph)
        for _ in range(self._random.integers(1, 3)):
            self._pick(self._nodes)(graph, self._pick(graph.node))
        return graph.SerializeToString(deterministic=True)

    def _changed_bytes(self):
        """Overwrites, removes, repeats or inserts a few bytes, weights or not."""
        data = bytearray(self.graph)
        for _ in range(self._random.integers(1, 4)):
            start, length = self._random.integers(len(data)), self._random.integers(1, 9)
            made = self._random.integers(0, 256, length).astype(np.uint8).tobytes()
            here = slice(start, start + self._pick([0, length]))
            data[here] = self._pick([b"", made, bytes(data[start : start + length])])
        return bytes(data)

    def _change_op(self, graph, node):
        node.op = self._pick(sorted(ALLOWED_OPS))

    def _change_input(self, graph, node):
        if node.input:
            place = self._random.integers(len(node.input))
            node.input[place] = self._pick(graph.node).name + self._pick(["", "", ":1"])

    def _drop_input(self, graph, node):
        if node.input:
            del node.input[self._random.integers(len(node.input))]

    def _swap_inputs(self, graph, node):
        node.input[:] = self._random.permutation(list(node.input)).tolist()

    def _change_attribute(self, graph, node):
        if not node.attr:
            return
        value = node.attr[self._pick(sorted(node.attr))]
        kind = value.WhichOneof("value")
        if kind == "type":
            value.type = self._pick(DATA_TYPES)
        elif kind == "i":
            value.i = self._pick(HOSTILE)
        elif kind == "b":
            value.b = not value.b
        elif kind == "s":
            value.s = self._pick(TEXTS)
        elif kind == "list" and value.list.i:
            value.list.i[self._random.integers(len(value.list.i))] = self._pick(HOSTILE)
        elif kind == "shape" and value.shape.dim:
            self._pick(value.shape.dim).size = self._pick(HOSTILE)

    def _copy_attribute(self, graph, node):
        other = self._pick(graph.node)
        if other.attr:
            key = self._pick(sorted(other.attr))
            node.attr[key].CopyFrom(other.attr[key])

    def _drop_attribute(self, graph, node):
        if node.attr:
            del node.attr[self._pick(sorted(node.attr))]

    def _change_constant(self, graph, node):
        """Sizes, axes, paddings: integers that the structure hangs on."""
        constants = [n.attr["value"].tensor for n in graph.node if n.op == "Const"]
        tensor = self._pick([t for t in constants if t.dtype in (3, 9)] or constants)
        kind = np.int32 if tensor.dtype == 3 else np.int64
        values = np.frombuffer(tensor.tensor_content, kind).copy()
        if not values.size:
            tensor.int_val[:] = [int(np.int64(self._pick(HOSTILE)).astype(np.int32))]
        else:
            place = self._random.integers(values.size)
            values[place] = np.int64(self._pick(HOSTILE)).astype(kind)
            tensor.tensor_content = values.tobytes()

    def _reshape_constant(self, graph, node):
        tensor = self._pick([n for n in graph.node if n.op == "Const"]).attr["value"].tensor
        sizes = [dim.size for dim in tensor.tensor_shape.dim]
        for dim, size in zip(tensor.tensor_shape.dim, self._random.permutation(sizes).tolist()):
            dim.size = int(size)
        if self._random.integers(2):
            tensor.tensor_shape.dim.add(size=self._pick([0, 1, 2]))

    def _remove_node(self, graph, node):
        graph.node.remove(node)

    def _pick(self, choices):
        return choices[self._random.integers(len(choices))]


class Runner:
    """The child process: runs a graph, says what came of it, and is replaced when it dies."""

    def __init__(self, robot_python, folder):
        self._python, self._path = robot_python, folder / "damaged.pb"
        self._child = None

    def verdict(self, data):
        """Returns the child's verdict of a graph: ``works``, ``graph_error``, or what is wrong."""
        if self._child is None:
            self._child = self._python.start("tests/contract/run_graphs.py")
            assert self._answer(START_SECONDS).startswith("ready 1.15")
        self._path.write_bytes(data)
        self._child.stdin.write(f"{self._path}\n")
        self._child.stdin.flush()
        answer = self._answer(2 * MAX_SECONDS)
        if not answer:
            return self._died()
        verdict, seconds, mebibytes, message = answer.split(" ", 3)
        if float(seconds) > MAX_SECONDS or int(mebibytes) > MAX_MIB:
            return f"{verdict} after {seconds} s, with {mebibytes} MiB: {message}"
        return verdict if verdict in ("works", "graph_error") else f"{verdict}: {message}"

    def close(self):
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _answer(self, seconds):
        ready, _, _ = select.select([self._child.stdout], [], [], seconds)
        return self._child.stdout.readline().rstrip("\n") if ready else ""

    def _died(self):
        status = self._child.poll()
        self.close()
        return "it hung" if status is None else f"it died with status {status}"


@pytest.fixture(scope="module")
def runner(robot_python, tmp_path_factory):
    runner = Runner(robot_python, tmp_path_factory.mktemp("damaged"))
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def undamaged(tiny_network):
    keras.utils.set_random_seed(0)
    return [graph_bytes(tiny_network(name, 3), CLASSES, size) for name, size in GRAPHS]


def test_undamaged_graphs_work(runner, undamaged):
    for data in undamaged:
        assert runner.verdict(data) == runner.verdict(append_card(data, CARD)) == "works"


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=SLOW)])
def test_damaged_graphs_are_refused_or_work(runner, undamaged, count, tmp_path):
    mutators = [Mutator(data, CARD, seed) for seed, data in enumerate(undamaged)]
    verdicts, wrong = Counter(), []
    for index in range(count):
        mutant = mutators[index % len(mutators)].mutant()
        verdict = runner.verdict(mutant)
        verdicts[verdict] += 1
        if verdict not in ("works", "graph_error"):
            kept = tmp_path / f"{index}.pb"
            kept.write_bytes(mutant)
            wrong.append(f"{kept}: {verdict}")
    assert not wrong
    assert min(verdicts["works"], verdicts["graph_error"]) > count / 10
