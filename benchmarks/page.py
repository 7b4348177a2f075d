"""The learner's way through the page, in a real browser with a microphone that reads a prompt.

    python -m benchmarks.page [--takes N] [--out FOLDER] [--url URL]

`nativeear serve` runs in a process of its own, or is one that runs at --url without a key.
Chromium (playwright, and the system's own `chromium`) says a packaged prompt of about 5 s --takes
times. From the marks that the page sets follow: how many presses lead from the sentence to its
result; how long after the last speech the take ended by itself, and the coloured sentence stood
there. Before each take the service alone is asked for the same recording, sent as a file.

Then every state is gone through by keyboard alone, at 390 and 1280 pixels, light and dark: what axe
finds wrong (with `axe-core-python`; without it that is said), what does not fit, and what is asked
of other hosts. --out keeps a picture of each state. At last the weight of scripts and styles,
unpacked: of all that the way loads, and of the whole folder.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import numpy as np
import soundfile
import soxr

from benchmarks.reporting import options_of, show, show_aims
from benchmarks.speech_data import PROMPTS, prompt
from tests.support.served import serving

NAME, TEXT = PROMPTS[2]
RATE = 48_000
SIZES = {390: 844, 1280: 800}
SCHEMES = ("light", "dark")
PATIENCE_MS = 120_000
ANOTHER_TEXT = "Tomorrow we shall walk to the river."

AIM_PRESSES = 1
AIM_BEYOND_S = 0.6
AIM_BYTES = 150_000

MARKS = "performance.getEntriesByType('mark').map(({ name, startTime }) => [name, startTime])"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
FITS = """() => ["target", "model", "speak"].every((id) => {
  const { top, bottom } = document.getElementById(id).getBoundingClientRect();
  return bottom > top && top >= 0 && bottom <= innerHeight;
})"""
HOLD_BACK = """() => {
  const ask = window.fetch.bind(window);
  const free = new Promise((done) => { window.letGo = done; });
  window.fetch = async (...asked) => {
    if (asked[1]?.method === "POST") await free;
    return ask(...asked);
  };
}"""


@dataclass
class Seen:
    """What was found on the way."""

    states: list[tuple[str, int, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--takes", type=int, default=5)
    parser.add_argument("--out", type=Path, help="where pictures are kept")
    parser.add_argument("--url", help="of a service that runs")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if find_spec("playwright") is None or chromium is None:
        sys.exit("It needs playwright and a chromium on the PATH.")
    with tempfile.TemporaryDirectory() as folder:
        microphone = Path(folder) / "microphone.wav"
        speak_into(microphone)
        with service(options.url, Path(folder)) as url, browser(chromium, microphone) as opened:
            ask_alone(url)  # warms it
            takes = [say(opened, url) for _ in range(options.takes)]
            seen = go_through(opened, url, options.out)
    report(takes, seen)


def speak_into(path: Path) -> None:
    """Write what the microphone hears: half a second of silence, the prompt, and much silence."""
    samples, rate = soundfile.read(prompt(NAME))
    speech = soxr.resample(samples, rate, RATE)
    whole = np.concatenate([np.zeros(RATE // 2), speech, np.zeros(20 * RATE)])
    soundfile.write(path, whole, RATE, subtype="PCM_16")


@contextmanager
def service(url: str | None, folder: Path) -> Iterator[str]:
    """One that runs, or one of its own."""
    if url:
        yield url.rstrip("/")
        return
    with serving(folder) as served:
        yield served.url


@contextmanager
def browser(chromium: str, microphone: Path) -> Iterator[Any]:
    """Chromium whose microphone reads a file once, from when it is opened."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ],
        )
        yield opened
        opened.close()


def ask_alone(url: str) -> float:
    """Seconds of the service for the same recording, sent as a file."""
    data = prompt(NAME).read_bytes()
    since = perf_counter()
    answer = httpx.post(
        f"{url}/v1/assessments", files={"audio": data}, data={"text": TEXT}, timeout=120
    )
    answer.raise_for_status()
    return perf_counter() - since


def page_of(opened: Any, width: int, scheme: str) -> Any:
    """A page of somebody who was never here."""
    context = opened.new_context(
        viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def write(page: Any, text: str) -> None:
    """Choose a text by keyboard alone."""
    tab_to(page, "#other")
    page.keyboard.press("Enter")
    page.wait_for_selector("#chooser[open]")
    page.select_option("#set", "own")
    page.fill("#text", text)
    tab_to(page, "#take-text")
    page.keyboard.press("Enter")
    page.wait_for_selector("#speak:enabled")


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(150):
        if page.evaluate(f"document.activeElement?.matches({selector!r}) ?? false"):
            return
        page.keyboard.press("Tab")
    raise RuntimeError(f"Tab does not lead to {selector}")


def say(opened: Any, url: str) -> dict[str, float]:
    """One take: the times between its marks in seconds, and how often something was pressed."""
    alone_s = ask_alone(url)
    page = page_of(opened, 390, "light")
    page.goto(url)
    page.wait_for_selector("#model button")
    write(page, TEXT)
    page.wait_for_timeout(500)
    page.evaluate("""() => {
      window.presses = 0;
      document.addEventListener("click", () => { window.presses += 1; }, { capture: true });
    }""")
    page.click("#speak")
    page.wait_for_selector("#result .sentence")
    at = dict(page.evaluate(MARKS))
    presses = page.evaluate("window.presses")
    page.context.close()
    return {
        "presses": presses,
        "silence": (at["take-ended"] - at["speech-ended"]) / 1000,
        "answer": (at["answered"] - at["take-ended"]) / 1000,
        "shown": (at["sentence-shown"] - at["answered"]) / 1000,
        "whole": (at["sentence-shown"] - at["speech-ended"]) / 1000,
        "alone": alone_s,
    }


def go_through(opened: Any, url: str, out: Path | None) -> Seen:
    """Every state at every size, by keyboard."""
    seen = Seen()
    axe = axe_source()
    for width in SIZES:
        for scheme in SCHEMES:
            page = page_of(opened, width, scheme)
            page.on("request", lambda asked: seen.elsewhere.append(asked.url))
            for name in states(page, url):
                page.wait_for_timeout(400)
                if name == "result":
                    weigh(page, seen)
                look(page, (name, width, scheme), seen, axe)
                if out:
                    out.mkdir(parents=True, exist_ok=True)
                    picture = out / f"{name.replace(' ', '-')}-{width}-{scheme}.png"
                    page.screenshot(path=picture, full_page=name not in ("drawer", "who"))
            page.context.close()
    own = (url, "blob:", "data:")
    seen.elsewhere = [asked for asked in seen.elsewhere if not asked.startswith(own)]
    return seen


def states(page: Any, url: str) -> Iterator[str]:
    """Lead through the page by keys; the name of every state that it is in."""
    press = page.keyboard.press
    page.goto(url)
    page.wait_for_selector("#model button")
    yield "start"
    tab_to(page, "#other")
    press("Enter")
    page.wait_for_selector("#chooser[open]")
    yield "drawer"
    press("Escape")
    write(page, TEXT)
    tab_to(page, "#speak")
    press("Enter")
    page.wait_for_selector("#speak.on")
    page.wait_for_timeout(2500)
    yield "speaking"
    page.wait_for_selector("#result .sentence")
    yield "result"
    tab_to(page, ".word")
    press("Enter")
    page.wait_for_selector(".turn .play, .listening .soft")
    yield "word"
    tab_to(page, ".measured > summary")
    press("Enter")
    page.wait_for_selector(".timeline")
    yield "numbers"
    page.evaluate(HOLD_BACK)
    give_file(page, url, ANOTHER_TEXT)
    page.wait_for_selector("#speak.waiting")
    yield "waiting"
    page.evaluate("window.letGo()")
    page.wait_for_selector("#result:not([hidden]) .first")
    yield "another text"
    tab_to(page, "#you")
    press("Enter")
    page.wait_for_selector("#learner[open]")
    page.keyboard.press("Tab")
    yield "who"
    page.fill("#learner [name=name]", "Ana")
    press("Enter")
    send_file(page, url, TEXT)
    tab_to(page, "#to-progress")
    press("Enter")
    page.wait_for_selector("#progress table")
    yield "progress"
    tab_to(page, "#to-group")
    press("Enter")
    page.wait_for_selector("#group-form")
    yield "group"


def send_file(page: Any, url: str, text: str) -> None:
    """Choose a text and the recording, and wait for the result."""
    give_file(page, url, text)
    page.wait_for_selector("#result:not([hidden]) .first")


def give_file(page: Any, url: str, text: str) -> None:
    """Choose a text and the recording."""
    page.goto(f"{url}/#say/own/{text.replace(' ', '%20')}")
    page.wait_for_selector("#stage:not([hidden]) #speak:enabled")
    page.set_input_files("#file", prompt(NAME))


def axe_source() -> str | None:
    """The script of axe, where it is installed."""
    found = find_spec("axe_core_python")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")


def look(page: Any, state: tuple[str, int, str], seen: Seen, axe: str | None) -> None:
    """What is wrong in one state."""
    name, width, scheme = state
    where = f"{name}, {width} px, {scheme}"
    seen.states.append(state)
    if page.evaluate(WIDER):
        seen.complaints.append(f"{where}: wider than the window")
    if name == "start" and width == min(SIZES) and not page.evaluate(FITS):
        seen.complaints.append(f"{where}: sentence, model or button is not on the first screen")
    if axe:
        page.evaluate(axe)
        for each in page.evaluate("axe.run()")["violations"]:
            targets = [node["target"] for node in each["nodes"]]
            seen.complaints.append(f"{where}: {each['id']} {targets}")


def weigh(page: Any, seen: Seen) -> None:
    """Unpacked bytes of the scripts and styles that were loaded up to here."""
    names = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    for name in {name.partition("?")[0] for name in names}:
        if name.endswith((".js", ".css")):
            seen.loaded[name.rpartition("/")[2]] = len(httpx.get(name).content)


def report(takes: list[dict[str, float]], seen: Seen) -> None:
    """Print it all."""
    middle = {name: statistics.median(take[name] for take in takes) for name in takes[0]}
    rows = [
        ("silence until the take ends by itself, s", f"{middle['silence']:.2f}"),
        ("from then to the answer, s", f"{middle['answer']:.2f}"),
        ("from the answer to the coloured sentence, s", f"{middle['shown']:.3f}"),
        ("from the end of speech to the coloured sentence, s", f"{middle['whole']:.2f}"),
        ("the service alone, the same recording as a file, s", f"{middle['alone']:.2f}"),
    ]
    show(f"{len(takes)} takes, medians", ("what", "found"), rows)
    for complaint in seen.complaints:
        print(complaint)
    folder = Path(str(files("nativeear.service"))) / "page"
    whole = sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".js", ".css"))
    loaded = sum(seen.loaded.values())
    beyond_s = statistics.median(take["whole"] - take["alone"] for take in takes)
    looked = "" if axe_source() else ", axe is not installed"
    presses = max(take["presses"] for take in takes)
    show_aims(
        [
            ("presses to the result", f"≤ {AIM_PRESSES}", f"{presses:g}", presses <= AIM_PRESSES),
            (
                "end of speech to colours, beyond the service",
                f"≤ {AIM_BEYOND_S} s",
                f"{beyond_s:.2f} s",
                beyond_s <= AIM_BEYOND_S,
            ),
            (
                "scripts and styles of the way",
                f"≤ {AIM_BYTES:,} bytes",
                f"{loaded:,} (of all views {whole:,})",
                0 < loaded <= AIM_BYTES,
            ),
            ("requests to elsewhere", "0", str(len(seen.elsewhere)), not seen.elsewhere),
            (
                "complaints in all states, each by keyboard",
                "0",
                f"{len(seen.complaints)} in {len(seen.states)} states{looked}",
                not seen.complaints,
            ),
        ]
    )


if __name__ == "__main__":
    main()
