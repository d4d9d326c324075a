"""At which size a graph runs, and whether it can.

Sizes are (height, width).
"""

from typing import Dict, Optional

from semseg.errors import GraphError
from semseg.runtime.graph.frozen_graph import INPUT, FrozenGraph
from semseg.runtime.graph.graph_costs import check_costs, graph_costs
from semseg.runtime.graph.shape_functions import Shape
from semseg.runtime.images.geometry import Size

_OPEN_WIDTH = 512
_OPEN_MULTIPLE = 32
_MAX_OPEN_HEIGHT = 2048
_USUAL_IMAGE = (480, 640)


def network_size(graph: FrozenGraph, wanted: Optional[Size]) -> Optional[Size]:
    """Returns the size of a graph's input: its own, else the wanted one, else its card's.

    None leaves it to each image, see ``open_size``.

    Raises:
      GraphError: the graph has another size than the wanted one.
    """
    fixed = graph.inputs[0].size
    wanted = None if wanted is None else (wanted[0], wanted[1])
    if fixed is not None and wanted not in (None, fixed):
        raise GraphError(
            "%s is frozen at %dx%d and cannot run at %dx%d; freeze it without --size"
            % ((graph.path,) + fixed + wanted)
        )
    return fixed or wanted or (graph.card.size if graph.card is not None else None)


def open_size(image_size: Size) -> Size:
    """Returns at which size a graph runs that leaves it to the image.

    Width 512 and the height by the image's aspect, a multiple of 32 up to 2048: an image that
    is a single column must not take all memory.
    """
    multiples = int(round(_OPEN_WIDTH * image_size[0] / image_size[1] / _OPEN_MULTIPLE))
    return min(max(1, multiples) * _OPEN_MULTIPLE, _MAX_OPEN_HEIGHT), _OPEN_WIDTH


def input_shapes(graph: FrozenGraph, size: Optional[Size]) -> Dict[str, Shape]:
    """Returns the shapes of a graph's inputs at a size; if images decide, for a usual one."""
    batch, (height, width) = graph.inputs[0].shape[0] or 1, size or open_size(_USUAL_IMAGE)
    return {found.name: (batch, height, width, found.channels) for found in graph.inputs}


def check_size(graph: FrozenGraph, size: Optional[Size]) -> None:
    """Refuses, before an engine sees it, what would kill it or take all memory at that size.

    Raises:
      GraphError: inputs of a node contradict each other, or a tensor is out of all proportion.
    """
    shapes = input_shapes(graph, size)
    try:
        check_costs(graph_costs(graph.nodes, shapes), shapes)
    except GraphError as error:
        _, height, width, _ = shapes[INPUT]
        raise GraphError("%s cannot run at %dx%d: %s" % (graph.path, height, width, error))
