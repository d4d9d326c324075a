"""Prints the tables of docs/jetson_tx2.md: how fast the shipped graphs may be there, on paper.

    .venv/bin/python benchmarks/jetson_tx2_estimate.py models/*.pb

Two published figures of a TX2 calibrate two models of time that explain them equally well. What
they say of a graph, and the bound that the board's peaks set, is the range.
"""

import argparse
from pathlib import Path

from semseg.classes import ClassTable
from semseg.runtime.graph.frozen_graph import read_frozen_graph
from semseg.runtime.graph.graph_costs import graph_costs
from semseg.runtime.graph.graph_def import read_nodes
from semseg.runtime.graph.structure import checked_nodes

# The module's data sheet and its nvpmodel mode 0: 256 cores, one multiply-accumulate per cycle at
# float32 (two at float16), 1.30 GHz; 128 bits of LPDDR4. In giga per second.
PEAK_GMACS, PEAK_GBYTES = 256 * 1.30, 58.4
PUBLISHED = {48: 1.4, 8: 11.0}
"""Frames per second of PARIS-sem-seg's two models at 256x512 (its README), by base width."""
SIZE, CLASSES = (256, 512), 20
FLOAT32_BYTES = 4


class Costs:
    """Giga multiply-accumulates and gigabytes of an inference.

    Attributes:
      fused: gigabytes if an engine computes all but convolutions, pooling and resizing on the way.
      moved: gigabytes if every op reads and writes memory, as in TensorFlow.
    """

    def __init__(self, nodes, size):
        costs = graph_costs(nodes, {"input": (1, *size, 3)})
        self.gmacs = costs.macs / 1e9
        self.fused = FLOAT32_BYTES * costs.fused_values / 1e9
        self.moved = FLOAT32_BYTES * costs.unfused_values / 1e9


def published_costs(base_width):
    from semseg.networks import NETWORKS
    from semseg.training.export.graph import graph_bytes

    grey = [(i, i, i) for i in range(CLASSES)]
    classes = ClassTable.create([f"class{i}" for i in range(CLASSES)], grey)
    model = NETWORKS["resnet_baseline"](CLASSES, base_width=base_width)
    return Costs(checked_nodes(read_nodes(memoryview(graph_bytes(model, classes)))), SIZE)


def bound(costs):
    """Seconds that the board's peaks set: the roofline."""
    return max(costs.gmacs / PEAK_GMACS, costs.fused / PEAK_GBYTES)


def calibrated():
    """Returns, by name, functions from costs to seconds that give both published figures.

    Either each frame costs the same on top of its multiplications, or the narrow network waits
    for memory and the wide one for multiplications.
    """
    wide, narrow = (published_costs(width) for width in PUBLISHED)
    wide_s, narrow_s = (1 / fps for fps in PUBLISHED.values())
    rate = (wide.gmacs - narrow.gmacs) / (wide_s - narrow_s)
    fixed_s = narrow_s - narrow.gmacs / rate
    ceiling, bandwidth = wide.gmacs / wide_s, narrow.moved / narrow_s
    assert wide.moved / bandwidth < wide_s, "the wide network would wait for memory, too"
    print(f"- fixed cost: {1000 * fixed_s:.0f} ms a frame, then {share(rate, PEAK_GMACS)} GMAC/s")
    limits = f"{share(ceiling, PEAK_GMACS)} GMAC/s or {share(bandwidth, PEAK_GBYTES)} GB/s"
    print(f"- bandwidth: {limits}, whichever takes longer")
    return {
        "fixed cost": lambda costs: fixed_s + costs.gmacs / rate,
        "bandwidth": lambda costs: max(costs.gmacs / ceiling, costs.moved / bandwidth),
    }


def share(value, peak):
    return f"{value:.3g} ({100 * value / peak:.0f} % of the peak)"


def sizes(graph):
    """The size of its card and the one that the published figures are of."""
    own = graph.card.size if graph.card else None
    return sorted({own or SIZE, SIZE})


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("graphs", nargs="+", help="frozen graphs")
    paths = parser.parse_args().graphs
    models = calibrated()
    columns = ["graph", "size", "GMAC", "MB fused", "MB moved", "bound by the peaks, fps"]
    columns += [f"{name}, fps" for name in models]
    print("\n| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for path in paths:
        graph = read_frozen_graph(path)
        for size in sizes(graph):
            costs = Costs(graph.nodes, size)
            cells = [f"`{Path(path).stem}`", "{}x{}".format(*size), f"{costs.gmacs:.2f}"]
            cells += [f"{1000 * costs.fused:.0f}", f"{1000 * costs.moved:.0f}"]
            cells += [f"{1 / seconds(costs):.0f}" for seconds in (bound, *models.values())]
            print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
