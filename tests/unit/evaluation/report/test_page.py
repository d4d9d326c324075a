"""The page as text; what a browser makes of it is in test_page_in_browser."""

import base64
import re

import cv2
import numpy as np
import pytest

from semseg.evaluation.report import figures
from semseg.evaluation.report.page import Section, Strip, Table, encoded, write_page


@pytest.fixture
def written(tmp_path):
    def write(*sections):
        write_page(tmp_path / "page.html", "A <b> title", "All of it.", sections)
        return (tmp_path / "page.html").read_text()

    return write


def test_every_part_of_a_section_is_there(written):
    table = Table(["class", "IoU"], [["road", "66.7"], ["sky", "50.0"]], [(1, 2, 3), (4, 5, 6)])
    drawing = figures.time_lines(np.arange(3.0), {"confidence": np.ones(3)}, "confidence, 0..1")
    page = written(Section("over-time", "Over time", "What is seen.", [table], [drawing]))
    assert '<section id="over-time">' in page and '<a href="#over-time">Over time</a>' in page
    assert "<p>What is seen.</p>" in page
    assert re.findall(r"<td>(.*?)</td>", page) == [
        '<span class="swatch" style="background: rgb(1, 2, 3)"></span>road',
        "66.7",
        '<span class="swatch" style="background: rgb(4, 5, 6)"></span>sky',
        "50.0",
    ]
    assert drawing in page and "confidence, 0..1</text>" in page


def test_texts_are_no_markup(written):
    page = written(Section("a", "x < y & z", tables=[Table(["<i>"], [["<script>"]])]))
    assert "<title>A &lt;b&gt; title</title>" in page
    assert "x &lt; y &amp; z" in page and "<td>&lt;script&gt;</td>" in page
    assert "<script" not in page


def test_pictures_are_inside(written):
    picture = np.full((8, 16, 3), (200, 100, 0), np.uint8)
    page = written(Section("a", "A", strips=[Strip("the worst", {"image": encoded(picture)})]))
    (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', page)
    found = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_allclose(found[4, 8], (0, 100, 200), atol=4)  # OpenCV's order.
    assert "<figcaption>the worst</figcaption>" in page


def test_nothing_is_fetched(written):
    drawing = figures.histogram([1.0, 2.0], "ms", {"p50": 1.5})
    page = written(Section("a", "A", figures=[drawing]))
    links = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", page)
    assert links and all(link.startswith(("#", "data:")) for link in links)
