"""One HTML file that shows an evaluation: no other file, no network, no script."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import jinja2
import numpy as np
from markupsafe import Markup

from semseg.files import write_file

_TEMPLATE = Path(__file__).with_name("page.html.jinja")
_JPEG_QUALITY = 90


class Table(NamedTuple):
    """A table of texts.

    Attributes:
      header: title of each column.
      rows: the cells of each row; the first names the row.
      colors: RGB colour shown beside each row's name, 0..255; empty for none.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    colors: Sequence[Sequence[int]] = ()


class Strip(NamedTuple):
    """Pictures side by side.

    Attributes:
      caption: what they show.
      pictures: title -> JPEG, see ``encoded``.
    """

    caption: str
    pictures: dict[str, bytes]


class Section(NamedTuple):
    """A part of the page; what is empty is left out.

    Attributes:
      name: identifies it: lower-case letters and dashes; its ``id`` in the page.
      title: its heading.
      text: a paragraph that says what is seen.
      tables: its tables.
      figures: SVG elements, from ``figures``.
      strips: its pictures.
    """

    name: str
    title: str
    text: str = ""
    tables: Sequence[Table] = ()
    figures: Sequence[str] = ()
    strips: Sequence[Strip] = ()


def encoded(picture: np.ndarray) -> bytes:
    """Returns a picture, uint8 (H, W, 3) RGB, as JPEG."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), flags)[1].tobytes()


def write_page(path: str | Path, title: str, summary: str, sections: Sequence[Section]) -> None:
    """Writes the page.

    Args:
      path: the HTML file; replaced whole if it exists.
      title: heading of the page.
      summary: a paragraph below it.
      sections: its parts, in order.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    environment.filters["drawing"] = Markup
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    page = template.render(title=title, summary=summary, sections=sections)
    write_file(path, page.encode())
