"""What the page costs to see first, and whether everybody can use it.

    nativeear serve &
    npm pack axe-core && tar xzf axe-core-*.tgz package/axe.min.js
    python -m benchmarks.page [URL] [--axe package/axe.min.js] [--pictures FOLDER] [--recording WAV]

A headless Chromium (`pip install playwright`, and Debian's `chromium` or Playwright's own) goes the
way of a learner: chooses a sentence, says it into a fake microphone that is fed a packaged prompt,
opens a word, looks at the progress and at a group. It does so on a desk, on a phone and in the
dark. At each station axe-core, where it is given, looks for barriers. The first table tells them by
their impact; the second the bytes and requests of the first view, what it shifted while it came
(the layout shift of Core Web Vitals) and what the console complained of.

With --pictures, each station is kept as a PNG. The README's picture is `desk-words.png` of what
`nativeear demo --keep FOLDER` writes, given as --recording.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.table import Table

from nativeear.service.demo import PROMPT

LOOKS = (
    ("desk", 1280, 900, "light"),
    ("phone", 390, 844, "light"),
    ("dark", 1280, 900, "dark"),
)
IMPACTS = ("critical", "serious", "moderate", "minor")
LEARNER, GROUP = "Anna", "B1"
SETTLED_MS = 400
MICROPHONE_RATE = 48_000
LEAD_S = 0.4
TAIL_S = 5.0
"""Silence before and after the prompt, so that a press too early or late cuts no sound."""

_SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}"""


@dataclass(frozen=True)
class Visit:
    """One look at the page: its name, the source of axe-core, where pictures go."""

    name: str
    axe: str
    pictures: Path | None


@dataclass
class Found:
    """What one look at the page told."""

    barriers: dict[str, Counter[str]] = field(default_factory=dict)
    rules: set[str] = field(default_factory=set)
    first_bytes: int = 0
    first_requests: int = 0
    shift: float = 0.0
    complaints: list[str] = field(default_factory=list)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000/")
    parser.add_argument("--axe", type=Path, help="axe.min.js")
    parser.add_argument("--pictures", type=Path, help="folder for the pictures")
    parser.add_argument("--recording", type=Path, help="says the packaged prompt's text")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="executable")
    options = parser.parse_args()
    axe = options.axe.read_text(encoding="utf-8") if options.axe else ""
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    results: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as folder:
        heard = Path(folder) / "microphone.wav"
        speech_s = write_microphone(heard, options.recording)
        for browser in browsers(heard, options.chromium):
            for name, width, height, scheme in LOOKS:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                visit = Visit(name, axe, options.pictures)
                results[name] = look(context.new_page(), options.url, speech_s, visit)
                context.close()
    show(results, with_axe=bool(axe))
    bad = sum(
        count["critical"] + count["serious"]
        for found in results.values()
        for count in found.barriers.values()
    )
    sys.exit(bool(bad or any(found.complaints for found in results.values())))


def write_microphone(path: Path, recording: Path | None) -> float:
    """Write a recording, or the packaged prompt, for a fake microphone; its length in seconds."""
    with as_file(files("nativeear.service") / "data" / PROMPT[0]) as prompt:
        samples, rate = soundfile.read(recording or prompt, dtype="float32")
    speech = soxr.resample(samples, rate, MICROPHONE_RATE)
    lead, tail = (np.zeros(round(s * MICROPHONE_RATE), np.float32) for s in (LEAD_S, TAIL_S))
    soundfile.write(path, np.concatenate([lead, speech, tail]), MICROPHONE_RATE, subtype="PCM_16")
    return float(LEAD_S + len(samples) / rate)


def browsers(microphone: Path, executable: str | None) -> Iterator[Any]:
    """One headless Chromium whose microphone hears a WAV file."""
    with import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ],
        )
        yield browser
        browser.close()


def look(page: Any, url: str, speech_s: float, visit: Visit) -> Found:
    """Go the way of a learner and of a teacher."""
    found = Found()

    def weigh(response: Any) -> None:
        found.first_requests += 1
        found.first_bytes += int(response.headers.get("content-length", 0))

    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("response", weigh)
    page.add_init_script(f"({_SHIFTS})()")

    def station(title: str, *, whole: bool = False) -> None:
        page.wait_for_timeout(SETTLED_MS)
        if visit.pictures:
            page.screenshot(path=visit.pictures / f"{visit.name}-{title}.png", full_page=whole)
        if visit.axe:
            note_barriers(page, visit.axe, title, found)

    page.goto(url)
    page.wait_for_selector("#sentences button")
    page.wait_for_load_state("networkidle")
    found.shift = page.evaluate("window.shifted")
    page.remove_listener("response", weigh)
    station("choose")
    page.click("#you")
    page.fill("dialog [name=name]", LEARNER)
    page.fill("dialog [name=group]", GROUP)
    station("learner")
    page.click("dialog[open] button.main")
    page.select_option("#set", "own")
    page.fill("#text", PROMPT[1])
    page.click("#record")
    page.wait_for_timeout(round(1000 * (speech_s + 0.5)))
    page.click("#record")
    page.wait_for_selector("#send:visible")
    station("recorded")
    page.click("#send")
    page.wait_for_selector(".timeline", timeout=60_000)
    page.click(".word >> nth=2")
    page.wait_for_selector(".turn .play, .listening .soft")
    page.locator("#result").evaluate("(result) => result.scrollIntoView()")
    station("words")
    station("result", whole=True)
    page.click("#to-progress")
    page.wait_for_selector("#progress table")
    station("progress", whole=True)
    page.click("#to-group")
    page.fill("#group-name", GROUP)
    page.click("#group-form button")
    page.wait_for_selector("#group table")
    station("group")
    return found


def note_barriers(page: Any, axe: str, station: str, found: Found) -> None:
    """Have axe-core look at the page as it stands."""
    page.evaluate(axe)
    told = json.loads(page.evaluate("axe.run().then((told) => JSON.stringify(told))"))
    found.barriers[station] = Counter(broken["impact"] for broken in told["violations"])
    for broken in told["violations"]:
        where = broken["nodes"][0]["target"]
        found.rules.add(f"{station}: {broken['id']} ({broken['impact']}) at {where}")


def show(results: dict[str, Found], *, with_axe: bool) -> None:
    """Print the tables and what they count."""
    console = Console()
    if with_axe:
        table = Table("look", "station", *IMPACTS, title="Barriers by axe-core")
        for name, found in results.items():
            for station, counts in found.barriers.items():
                table.add_row(name, station, *(str(counts[impact]) for impact in IMPACTS))
        console.print(table)
    table = Table("look", "bytes", "requests", "layout shift", "complaints", title="First view")
    for name, found in results.items():
        table.add_row(
            name,
            f"{found.first_bytes:,}",
            str(found.first_requests),
            f"{found.shift:.3f}",
            str(len(found.complaints)),
        )
    console.print(table)
    for name, found in results.items():
        for line in (*sorted(found.rules), *found.complaints):
            console.print(f"{name}: {line}", markup=False)


if __name__ == "__main__":
    main()
