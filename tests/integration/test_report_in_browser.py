"""The report page in headless Chromium: each part is there, is seen, and no script fails.

``tools/set_up browser`` installs Chromium. Without one the test is skipped, which is printed.
"""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from semseg import town
from semseg.evaluation.frames.frames import Frame, Unreadable
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.report.sections import write_report_page
from semseg.evaluation.scores.scores import ScoreOptions
from semseg.runtime import Segmentation, Timing

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FIGURES = {"classes": 1, "confusion": 1, "calibration": 1, "latency": 1, "over-time": 4}
SHOWN = 2
PROBE = """<script>
const failures = [];
addEventListener("error", event => failures.push(event.message || event.target.outerHTML), true);
addEventListener("securitypolicyviolation", event => failures.push(event.blockedURI));
addEventListener("load", () => {
  const seen = element => element.getBoundingClientRect().width > 50;
  const count = (section, kind) => [...section.querySelectorAll(kind)].filter(seen).length;
  const sections = {};
  for (const section of document.querySelectorAll("section")) sections[section.id] = {
    title: section.querySelector("h2").innerText,
    figures: count(section, "svg"),
    rows: section.querySelectorAll("td:first-child").length,
    pictures: count(section, "img[src^='data:']"),
    broken: [...section.querySelectorAll("img")].filter(img => !img.naturalWidth).length,
    text: section.innerText };
  const probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = JSON.stringify({ failures, sections, title: document.title,
    links: [...document.querySelectorAll("nav a")].every(a => document.querySelector(a.hash)),
    fetched: performance.getEntriesByType("resource").map(entry => entry.name)
      .filter(name => !name.startsWith("data:")) });
  document.body.append(probe);
});
</script>"""


class Noisy:
    """Answers the truth of the town, with errors; sure of what is right."""

    classes = town.TOWN_CLASSES

    def __init__(self, truths):
        self._answers = iter(truths)
        self._random = np.random.default_rng(0)

    def segment(self, image, second=None, probabilities=False, confidence=True):
        truth = next(self._answers)
        wrong = self._random.random(truth.shape) < 0.1
        labels = np.where(wrong, 3, truth).astype(np.uint8)
        confidence = np.where(wrong, 0.55, 0.95).astype(np.float32)
        timing = Timing(1.0, float(self._random.uniform(5, 9)), 1.0)
        return Segmentation(labels, confidence, None, timing)


def _frames():
    for drawn in town.drive("val", 6, rate_hz=2.0, size=(64, 128)):
        yield Frame(drawn.name, round(drawn.stamp * 1e9), drawn.image, drawn.labels)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    frames = list(_frames())
    segmenter = Noisy([frame.labels for frame in frames])
    settings = Settings(shown=SHOWN, options=ScoreOptions(boundary_px=2))
    report = evaluate(
        segmenter, [*frames, Unreadable("broken", "cut off")], source="town val", settings=settings
    )
    write_report_page(report, path)
    return path


@pytest.fixture(scope="module")
def seen(page):
    """What Chromium shows of the page, as a probe in it tells."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (tools/set_up browser): the page was not looked at")
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text().replace("<head>", "<head>" + PROBE))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [
        "--enable-logging=stderr",
        f"--user-data-dir={page.parent / 'profile'}",
        probed.as_uri(),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    (probe,) = re.findall(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    told = json.loads(probe.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return {**told, "console": re.findall(r"CONSOLE.*", done.stderr)}


def test_no_script_fails_and_nothing_is_fetched(seen):
    assert seen["failures"] == [] and seen["console"] == []
    assert seen["fetched"] == []


def test_each_part_is_there(seen):
    assert list(seen["sections"]) == [
        "scores",
        "classes",
        "confusion",
        "worst",
        "best",
        "calibration",
        "latency",
        "over-time",
        "skipped",
    ]
    assert seen["links"] and seen["title"] == "a segmenter on town val"


def test_figures_are_seen_where_they_belong(seen):
    found = {name: part["figures"] for name, part in seen["sections"].items() if part["figures"]}
    assert found == FIGURES
    confusion = seen["sections"]["confusion"]["text"]
    for name in town.TOWN_CLASSES.names:
        assert confusion.count(name) == 2  # A row and a column.


def test_pictures_are_seen_side_by_side(seen):
    for name in ("worst", "best"):
        assert seen["sections"][name]["pictures"] == 4 * SHOWN
        assert seen["sections"][name]["broken"] == 0
        assert "prediction" in seen["sections"][name]["text"]


def test_tables_have_their_rows(seen):
    sections = seen["sections"]
    assert sections["scores"]["rows"] == 8
    assert sections["classes"]["rows"] == town.TOWN_CLASSES.num_classes
    assert sections["latency"]["rows"] == 4
    assert "broken" in sections["skipped"]["text"] and "cut off" in sections["skipped"]["text"]


def test_the_page_has_no_script_of_its_own(page):
    assert "<script" not in page.read_text()
