"""One entrant of a benchmark, in a process of its own: ``python -m`` this, the entrant as JSON.

Answers are pickled to standard output: first what loading took, then for each image [h, w, 3]
that is pickled to standard input the milliseconds and the labels, at its end the largest memory.
An error is answered by its text. It runs under the robot's Python, too.
"""

import json
import os
import pickle
import sys
from time import perf_counter

import numpy as np

from semseg.errors import GraphError, SemsegError
from semseg.runtime.engines import ENGINES, EngineOptions, load_engine
from semseg.runtime.engines.choice import choose_engine
from semseg.runtime.graph.foreign_graph import labels_of, read_foreign_graph
from semseg.runtime.graph.frozen_graph import CLASS_IDS, CLASS_PROBABILITIES
from semseg.runtime.graph.frozen_graph import read_frozen_graph as read_own_graph
from semseg.runtime.graph.graph_costs import graph_costs

PICKLE_PROTOCOL = 4
"""The newest that Python 3.6 knows."""


class Entrant:
    """A graph in an engine.

    Attributes:
      graph: the checked graph.
      outputs: names of the tensors that are computed; the first makes the labels.
      engine: the loaded engine.
      version: of the engine's package.
    """

    def __init__(self, *, model, engine, precision, size, threads, tensors):
        """Loads the graph; the arguments are those of ``benchmark.Entrant``, and threads."""
        if tensors:
            self.graph = read_foreign_graph(model, tensors[0], tensors[1:])
            self.outputs = tuple(tensors[1:])
        else:
            self.graph = read_own_graph(model)
            self.outputs = (CLASS_IDS if self.graph.has_labels else CLASS_PROBABILITIES,)
        self._shapes = {found.name: _shape(found, size) for found in self.graph.inputs}
        fixed = self.graph.inputs[0].size
        if fixed not in (None, tuple(size)):
            raise GraphError("%s is frozen at %dx%d" % ((model,) + fixed))
        options = EngineOptions(precision, threads, size=tuple(size)).checked()
        (name, self.engine), _ = choose_engine(
            engine, model, lambda name: (name, load_engine(name, self.graph, options))
        )
        package = sys.modules[ENGINES[name].package]
        self.version = "%s %s" % (name, package.__version__.split("-")[0])

    def costs(self):
        """Returns what the graph costs at this size."""
        return graph_costs(self.graph.nodes, self._shapes)

    def run(self, image):
        """Returns the milliseconds and the labels [h, w] of one image."""
        feeds = {
            found.name: _input(self._shapes[found.name], found.dtype, image)
            for found in self.graph.inputs
        }
        start = perf_counter()
        made = self.engine.run(feeds, self.outputs)
        return 1000 * (perf_counter() - start), labels_of(made[0])


def _shape(found, size):
    return (1,) + tuple(size) + (found.shape[3],)


def _input(shape, dtype, image):
    """The image; for a second input the same from the right, or an unknown disparity."""
    if shape[3] != image.shape[2]:
        return np.zeros(shape, dtype)
    return np.ascontiguousarray(image[np.newaxis], dtype)


def _memory(key):
    """Returns an entry of this process's status, ``VmRSS`` or ``VmHWM``, in MiB."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def _answers(entrant, images):
    """Yields what the parent waits for; the next image is read when the next is asked for."""
    first_ms, _ = entrant.run(next(images))
    memory, costs = _memory("VmRSS"), entrant.costs()
    yield {
        "engine": entrant.version,
        "precision": entrant.engine.precision,
        "first_ms": first_ms,
        "resident_mib": memory,
        "parameters": costs.parameters,
        "gmacs": costs.macs / 1e9,
    }
    for image in images:
        yield entrant.run(image)
    yield _memory("VmHWM")


def _images():
    """Yields the parent's images until it sends None."""
    image = pickle.load(sys.stdin.buffer)
    while image is not None:
        yield image
        image = pickle.load(sys.stdin.buffer)


def main():
    """Serves the parent until it sends None."""
    # What libraries print goes to the terminal, not among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        for answer in _answers(Entrant(**json.loads(sys.argv[1])), _images()):
            pickle.dump(answer, answers, PICKLE_PROTOCOL)
            answers.flush()
    except SemsegError as error:
        pickle.dump(str(error), answers, PICKLE_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    main()
