"""The figures of a report page, drawn by matplotlib as SVG text."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from semseg.classes import ClassTable
from semseg.evaluation.scores.calibration import Calibration

_styled = matplotlib.rc_context(
    {
        "svg.fonttype": "none",  # Text stays text: small, and a browser's search finds it.
        "svg.hashsalt": "semseg",  # Equal reports are equal files.
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)
_ACCENT = "#2563a8"
_WARNING = "#c43d3d"
_FAINT = "#9aa5b1"
_EMPTY = 0.5
"""Row and column share below which a cell of the confusion matrix shows no number, percent."""


@_styled
def confusion_matrix(counts: np.ndarray, classes: ClassTable) -> str:
    """Draws what the pixels of each class are predicted as, in percent of the true class.

    Args:
      counts: rows truth, columns predictions, the last for what is no class, (C, C + 1).
      classes: names of the classes.
    """
    total = counts.sum(axis=1, keepdims=True)
    percent = np.divide(100.0 * counts, total, where=total > 0, out=np.full(counts.shape, np.nan))
    shown = counts.shape[1] if counts[:, -1].any() else counts.shape[1] - 1
    names = [*classes.names, "no class"][:shown]
    figure = Figure((2.2 + 0.45 * shown, 1.8 + 0.36 * len(counts)), layout="constrained")
    axes = figure.subplots()
    axes.pcolormesh(percent[:, :shown], cmap="Blues", vmin=0, vmax=100, edgecolors="white")
    for row, column in np.argwhere(percent[:, :shown] >= _EMPTY):
        value = percent[row, column]
        color = "white" if value > 55 else "black"
        place = (column + 0.5, row + 0.5)
        axes.text(*place, f"{value:.0f}", ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(np.arange(shown) + 0.5, names, rotation=90)
    axes.set_yticks(np.arange(len(counts)) + 0.5, classes.names)
    axes.invert_yaxis()
    axes.set(xlabel="predicted", ylabel="truth")
    return _svg(figure)


@_styled
def class_bars(classes: ClassTable, scores: Mapping[str, np.ndarray]) -> str:
    """Draws scores of the classes as bars, the first in the colours of the classes.

    Args:
      classes: the classes.
      scores: name -> values of the classes, (C,), 0..1, NaN where there is none.
    """
    names = list(scores)
    height = 0.8 / len(names)
    figure = Figure((7, 0.8 + 0.4 * classes.num_classes), layout="constrained")
    axes = figure.subplots()
    for index, name in enumerate(names):
        values = 100 * np.nan_to_num(scores[name])
        places = np.arange(classes.num_classes) + (index - (len(names) - 1) / 2) * height
        colors = [_hex(color) for color in classes.colors] if index == 0 else _FAINT
        bars = axes.barh(places, values, 0.92 * height, color=colors, label=name)
        texts = ["--" if np.isnan(value) else f"{100 * value:.1f}" for value in scores[name]]
        axes.bar_label(bars, texts, padding=3, fontsize=8)
    axes.set_yticks(range(classes.num_classes), classes.names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 108), xlabel=", ".join(f"{name} %" for name in names))
    return _svg(figure)


@_styled
def reliability_diagram(calibration: Calibration) -> str:
    """Draws how often the network is right against how sure it is, and how sure it usually is.

    Bins of less than one in 10 000 pixels have no bar.
    """
    bins = len(calibration.pixels)
    pixels = calibration.pixels / max(1, calibration.pixels.sum())
    right = np.where(pixels >= 1e-4, calibration.accuracy, 0)
    edges, width = np.arange(bins) / bins, 1 / bins
    figure = Figure((5, 5.2), layout="constrained")
    accuracy, share = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    accuracy.bar(edges, right, width, align="edge", color=_ACCENT, ec="white")
    accuracy.plot([0, 1], [0, 1], "--", color=_WARNING, label="as sure as right")
    accuracy.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    accuracy.legend(loc="upper left", frameon=False)
    share.bar(edges, pixels, width, align="edge", color=_FAINT, ec="white")
    share.set(ylabel="pixels", xlabel="confidence")
    return _svg(figure)


@_styled
def histogram(values: Sequence[float], label: str, marks: Mapping[str, float]) -> str:
    """Draws how often values occur.

    Args:
      values: at least one.
      label: what they are, with the unit.
      marks: name -> value of lines across, such as percentiles.
    """
    figure = Figure((7, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.hist(values, bins=min(40, max(5, len(values) // 3)), color=_ACCENT, ec="white")
    for style, (name, value) in zip(("-", "--", ":"), marks.items(), strict=False):
        axes.axvline(value, color=_WARNING, linestyle=style, label=f"{name} {value:.1f}")
    axes.set(xlabel=label, ylabel="frames")
    axes.legend(frameon=False)
    return _svg(figure)


@_styled
def time_lines(
    seconds: np.ndarray,
    lines: Mapping[str, np.ndarray],
    label: str,
    colors: Sequence[tuple[int, int, int]] | None = None,
) -> str:
    """Draws values over time.

    Args:
      seconds: times of the values, (N,), from the first on.
      lines: name -> values, (N,); NaN leaves a gap.
      label: what the values are, with the unit.
      colors: RGB colour of each line, 0..255; None chooses.
    """
    figure = Figure((9, 2.6 if len(lines) < 5 else 4.2), layout="constrained")
    axes = figure.subplots()
    for index, (name, values) in enumerate(lines.items()):
        color = _hex(colors[index]) if colors else (_ACCENT if len(lines) == 1 else None)
        axes.plot(seconds, values, label=name, color=color, linewidth=1.2)
    axes.set(xlabel="seconds", ylabel=label)
    axes.margins(x=0)
    if len(lines) > 1:
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return _svg(figure)


def _hex(color: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _svg(figure: Figure) -> str:
    """Returns the ``<svg>`` element of a figure, without the XML prolog."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]
