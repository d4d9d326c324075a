"""The notebook runs from top to bottom, only shorter and in a smaller town."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks/train_on_the_town.ipynb"

PARAMETERS = """
from semseg.data.declarations.specs import TownSpec
TownSpec.splits = {{"train": 5, "val": 2}}
STEPS = 2
WORKDIR = {workdir!r}
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source = PARAMETERS.format(workdir=str(folder / "run"))
    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()
    return folder, notebook


def _outputs(notebook, kind):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output for cell in cells for output in cell.outputs if kind in output.get("data", {})]


def test_notebook_leaves_a_graph_and_shows_pictures(executed):
    folder, notebook = executed
    assert (folder / "run/town.pb").stat().st_size > 1_000_000
    assert len(_outputs(notebook, "image/png")) == 3  # The data, the curves, the result.
    printed = "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))
    assert "step 2: best mean IoU" in printed
    assert "mean IoU of these three frames" in printed


def test_the_committed_notebook_holds_no_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
