"""Speed of frozen graphs against TensorFlow 1.15.5, as ratios of one interleaved run.

    .venv/bin/python benchmarks/engines.py --images 'CAMVID/val/*.png'

`resnet_baseline` 8 is the shipped graph; its labels on real images say what a precision costs.
The naive graph is the same layers frozen by TensorFlow 1.15's `convert_variables_to_constants`;
it is compared with first weights, which change no speed, at a fixed size.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from semseg.errors import ConfigError
from semseg.runtime import Segmenter
from semseg.runtime.benchmark import Entrant, benchmark, read_images, street_like_image, table
from semseg.runtime.images.geometry import resize_image

SIZE, CAMERA, BASE_WIDTH, NUM_CLASSES = (256, 512), (480, 640), 8, 11
ENOUGH_EQUAL = 0.995
FORMATS = ["onnx", "tflite", "tflite-int8"]
ENGINES = ["openvino", "openvino:bfloat16", "litert", "litert:int8", "onnxruntime", "tensorflow"]


def naive_graph(folder, python):
    """Returns an entrant's graph and tensors."""
    path = str(folder / "naive.pb")
    program = str(Path(__file__).with_name("naive_graph_tf1.py"))
    environment = {key: text for key, text in os.environ.items() if key != "TF2_BEHAVIOR"}
    arguments = [python, "-W", "ignore", program, path, *map(str, (*SIZE, BASE_WIDTH))]
    subprocess.run(arguments, check=True, env=environment, stderr=subprocess.DEVNULL)
    return path, ("input", "class_ids")


def own_graphs(folder):
    """Yields the same layers after each pass of freezing; the first that 1.15 can read is first."""
    from semseg.classes import ClassTable
    from semseg.networks import NETWORKS
    from semseg.runtime.graph.card import Card, append_card
    from semseg.training.export.graph import graph_stages

    names = [f"class{i}" for i in range(NUM_CLASSES)]
    classes = ClassTable.create(names, [(i, i, i) for i in range(NUM_CLASSES)])
    model = NETWORKS["resnet_baseline"](NUM_CLASSES, base_width=BASE_WIDTH)
    card = Card(name="first weights", network={}, classes=classes)
    for stage in list(graph_stages(model, classes, SIZE, columns=True))[1:]:
        print(f"{stage.name:17s} {stage.num_nodes:6d} nodes {stage.num_bytes / 1e3:9.1f} kB")
        path = folder / f"{stage.name}.pb"
        path.write_bytes(append_card(stage.graph.SerializeToString(deterministic=True), card))
        yield str(path)


def with_formats(model, folder, images):
    """Copies a graph, its card of the size compared here, and writes the formats of engines."""
    from tensorflow.compat.v1 import GraphDef

    from semseg.runtime.graph.card import MODEL_CARD, append_card
    from semseg.runtime.graph.frozen_graph import read_frozen_graph
    from semseg.training.export.formats import write_format

    original = read_frozen_graph(model)
    graph = GraphDef.FromString(original.data)
    graph.node.remove(next(node for node in graph.node if node.name == MODEL_CARD))
    card = original.card._replace(size=SIZE)
    path = folder / Path(model).name
    path.write_bytes(append_card(graph.SerializeToString(deterministic=True), card))
    feeds = [{"input": resize_image(image, SIZE)[np.newaxis]} for image in images]
    for form in FORMATS:
        try:
            write_format(read_frozen_graph(str(path)), form, feeds)
        except ConfigError as error:
            print(f"no {form}: {error}", file=sys.stderr)
    return str(path)


def segmenter_overhead(model, turns):
    """Returns the median milliseconds of `Segmenter.segment` beside the engine's call."""
    image, spans = street_like_image(CAMERA), []
    with Segmenter.load(model, engine="openvino") as segmenter:
        for _ in range(turns):
            start = perf_counter()
            timing = segmenter.segment(image, confidence=False).timing
            spans.append(1000 * (perf_counter() - start) - timing.inference_ms)
    return float(np.median(spans))


def report(rows):
    """Prints a line per comparison: what, found, wanted. Rows by kind, see ``entrants``."""
    (baseline,), (naive,), (fast,) = rows["baseline"], rows["naive"], rows["fast"]
    *_, plain, grouped = rows["pass"]
    exact = [row for row in rows["best"] if row.precision == "float32"]
    equal = [row for row in rows["best"] if row.agreement >= ENOUGH_EQUAL]
    for title, slow, quick, wanted in (
        ("our frozen graph : naive, both TF 1.15.5", naive, plain, "never slower"),
        ("our graph, grouped columns : naive, both TF 1.15.5", naive, grouped, "never slower"),
        ("best engine at float32 : TF 1.15.5", baseline, fastest(exact), ">= 2"),
        ("best engine, 99.5 % equal labels : TF 1.15.5", baseline, fastest(equal), ">= 3"),
        ("fast network : resnet_baseline 8, both TF 1.15.5", baseline, fast, ">= 6"),
        ("fast network, best engine : TF 1.15.5", baseline, fastest(rows["fast_best"]), ">= 20"),
    ):
        ratio = slow.median_ms / quick.median_ms
        print(f"{title:52s} {ratio:6.2f}  ({wanted}; {quick.engine}, {quick.precision})")
    for row in rows["pass"]:
        print(f"after {Path(row.model).stem:17s} {row.median_ms:8.1f} ms in TF 1.15.5")
    load = next((row for row in rows["fast_best"] if row.engine.startswith("openvino")), None)
    if load is not None:
        print(f"start of the process to first labels, {load.engine}: {load.load_s:.2f} s (<= 1)")
        print(f"resident then: {load.resident_mib * 1.048576:.0f} MB (<= 150)")


def fastest(rows):
    if not rows:
        sys.exit("error: no engine to compare; see --engine")
    return min(rows, key=lambda row: row.median_ms)


def entrants(arguments, folder):
    """The baseline first: its labels are what the others' are compared with."""
    tf1 = "tensorflow@" + arguments.tf1_python
    naive, tensors = naive_graph(folder, arguments.tf1_python)
    yield "baseline", Entrant.parse(arguments.resnet, tf1, SIZE)
    yield "naive", Entrant.parse(naive, tf1, SIZE)._replace(tensors=tensors)
    for path in own_graphs(folder):
        yield "pass", Entrant.parse(path, tf1, SIZE)
    yield "fast", Entrant.parse(arguments.fast, tf1, SIZE)
    for engine in arguments.engine:
        yield "best", Entrant.parse(arguments.resnet, engine, SIZE)
        yield "fast_best", Entrant.parse(arguments.fast, engine, SIZE)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--resnet", default="models/town_reduced.pb", help="resnet_baseline 8")
    parser.add_argument("--fast", default="models/camvid_reduced.pb", help="a real-time network")
    parser.add_argument("--engine", nargs="+", default=ENGINES, metavar="ENGINE[:PRECISION]")
    parser.add_argument("--tf1-python", default=".venv-robot/bin/python")
    parser.add_argument("--images", help="real images, 'GLOB'")
    parser.add_argument("--turns", type=int, default=30)
    arguments = parser.parse_args()
    images = read_images(arguments.images) or [street_like_image(SIZE)]
    with tempfile.TemporaryDirectory() as folder:
        arguments.resnet = with_formats(arguments.resnet, Path(folder), images)
        arguments.fast = with_formats(arguments.fast, Path(folder), images)
        kinds, found = zip(*entrants(arguments, Path(folder)))
        rows, failures = benchmark(found, arguments.turns, images=images)
        overhead = segmenter_overhead(arguments.fast, arguments.turns)
    print("\n".join([*table(rows), *(f"not run: {e}: {why}" for e, why in failures.items())]), "\n")
    ran = [kind for kind, entrant in zip(kinds, found) if entrant not in failures]
    report({kind: [row for k, row in zip(ran, rows) if k == kind] for kind in set(kinds)})
    print(f"Segmenter.segment at 480x640 beside the engine's call: {overhead:.2f} ms (<= 2.5)")


if __name__ == "__main__":
    main()
