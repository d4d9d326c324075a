"""Prints the table of docs/networks.md: what the networks cost, and how fast their graphs are.

    .venv/bin/python benchmarks/network_table.py --engine openvino --turns 5

All graphs stay loaded, a process each, and take turns; what a busy machine tells are the ratios.
"""

import argparse
import math
import tempfile
from pathlib import Path

from semseg.classes import ClassTable
from semseg.runtime.benchmark import Entrant, benchmark
from semseg.runtime.graph.card import Card, append_card

SIZE, LARGE_SIZE = (256, 512), (512, 1024)
HEADER = (
    "network | classes | parameters | stated, M | GMAC 256x512 | GMAC 512x1024 | "
    "activations 256x512, MiB | latency, ms | ratio | source of the stated count"
)


def built(variant):
    from semseg.networks import NETWORKS

    return NETWORKS[variant.network](variant.num_classes, **variant.options)


def frozen(variant, path):
    """Writes the graph of a variant with its first weights; how fast it is they do not change."""
    from semseg.training.export.graph import graph_bytes

    count = variant.num_classes
    classes = ClassTable.create(
        [f"class{i}" for i in range(count)], [(i, i, i) for i in range(count)]
    )
    card = Card(name=variant.label, network={"name": variant.network}, classes=classes)
    path.write_bytes(append_card(graph_bytes(built(variant), classes), card))
    return str(path)


def latencies(variants, engine, turns):
    """Median milliseconds of each variant; NaN without turns."""
    if not turns:
        return [math.nan] * len(variants)
    with tempfile.TemporaryDirectory() as folder:
        paths = [frozen(variant, Path(folder, f"{i}.pb")) for i, variant in enumerate(variants)]
        rows, failures = benchmark([Entrant(path, engine, SIZE) for path in paths], turns)
    if failures:
        raise SystemExit("error: " + "; ".join(failures.values()))
    return [row.median_ms for row in rows]


def cost_cells(variant):
    """Cells that tests/unit/networks/test_costs.py computes again."""
    from semseg.networks.costs import costs

    model = built(variant)
    small, large = costs(model, SIZE), costs(model, LARGE_SIZE)
    return [
        f"{small.parameters:,}",
        "-" if variant.millions is None else f"{variant.millions:g}",
        f"{small.macs / 1e9:.2f}",
        f"{large.macs / 1e9:.2f}",
        f"{small.peak_bytes / 2**20:.1f}",
    ]


def main():
    from semseg.networks.costs import VARIANTS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--turns", type=int, default=20, help="0 prints the costs alone")
    arguments = parser.parse_args()
    medians = latencies(VARIANTS, arguments.engine, arguments.turns)
    print(f"| {HEADER} |\n{'|---' * (HEADER.count('|') + 1)}|")
    for variant, median in zip(VARIANTS, medians):
        ratio = median / medians[0]
        speed = ["-", "-"] if math.isnan(median) else [f"{median:.0f}", f"{ratio:.2f}"]
        cells = [f"`{variant.label}`", str(variant.num_classes), *cost_cells(variant)]
        print("| " + " | ".join([*cells, *speed, variant.source]) + " |")


if __name__ == "__main__":
    main()
