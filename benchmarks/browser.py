"""The package for web pages in real Chromium: its size, its speed, and its parity with Python.

    python -m benchmarks.browser [--recordings N] [--chromium PATH] [--threads 1 2]

Needs playwright, Chromium, and `npm install && npm run build` in `web/`. Recordings are the prompts
that ship and, where speechocean762 is at hand, its learners in turn. A page is held to Python
twice: as it is, and with an encoder that does not round what goes into products to 8 bits, which
onnxruntime does on a processor and not in a page.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

import nativeear
from benchmarks.reporting import memory, options_of, show, show_aims
from benchmarks.speech_data import PROMPTS, ROOT, SPEECHOCEAN
from nativeear.indexer.corpus import read_corpus
from nativeear.indexes.catalogue import find_index
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.service.browser.demo import write_demo
from nativeear.speech.audio import Audio
from tests.support.browser import ASSESS, LOAD, apart, hosted, without_rounding

MOST_MB, MOST_READY_S, MOST_ASSESS_S, MOST_MEMORY_MB = 45.0, 2.0, 1.5, 350.0
LEAST_AGREEMENT, MOST_SCORE, MOST_TIME_S = 0.995, 0.5, 0.010
SECONDS = 5.0
REPEATS = 3
"""The recording nearest to this length is timed, so often."""

ENCODINGS = 10


def recordings(most: int) -> list[tuple[str, Audio, str]]:
    """Names, sound and texts of the shipped prompts and of learners."""
    folder = ROOT / "service" / "data"
    found = [
        (name, Audio.load(folder / f"{name}.flac"), text)
        for name, text in PROMPTS
        if (folder / f"{name}.flac").is_file()
    ]
    if SPEECHOCEAN.is_dir() and most > len(found):
        utterances = list(read_corpus(str(SPEECHOCEAN), language="en-US").utterances)
        step = max(1, len(utterances) // (most - len(found)))
        found += [(u.id, Audio.load(u.audio), u.text or "") for u in utterances[::step]]
    return found[:most]


def parity(name: str, ours: Sequence[Assessment], theirs: Sequence[Assessment]) -> None:
    """Print how alike two sets of results are."""
    found = [apart(*both) for both in zip(ours, theirs, strict=True)]
    agree, scores, times = (np.concatenate([each[i] for each in found]) for i in range(3))
    show(
        f"{name}: {len(ours)} recordings, {len(agree)} phones",
        ("", "median", "95 %", "99 %", "most"),
        (
            (what, *(f"{np.quantile(values, q):.3f}" for q in (0.5, 0.95, 0.99, 1.0)))
            for what, values in (("scores apart", scores), ("seconds apart", times))
        ),
    )
    within = float((scores <= MOST_SCORE).mean())
    in_time = float((times <= MOST_TIME_S).mean())
    show_aims(
        (
            (
                "same verdict",
                f"{LEAST_AGREEMENT:.1%}",
                f"{agree.mean():.2%}",
                bool(agree.mean() >= LEAST_AGREEMENT),
            ),
            (f"scores within {MOST_SCORE}", "100.0%", f"{within:.2%}", within == 1.0),
            (f"times within {MOST_TIME_S} s", "100.0%", f"{in_time:.2%}", in_time == 1.0),
        )
    )


def parity_of_the_whole(ours: Sequence[Assessment], theirs: Sequence[Assessment]) -> None:
    """Print how alike scores of whole recordings, their melodies and their remarks are."""
    rows = []
    for name in ("overall", "pronunciation", "fluency", "prosody", "completeness"):
        pairs = [
            (getattr(a.score, name), getattr(b.score, name))
            for a, b in zip(ours, theirs, strict=True)
        ]
        known = [abs(a - b) for a, b in pairs if a is not None and b is not None]
        same = sum((a is None) == (b is None) for a, b in pairs)
        rows.append(
            (name, *(f"{np.quantile(known or [np.nan], q):.3f}" for q in (0.5, 0.95, 1.0)), same)
        )
    show("Scores of the whole, apart", ("", "median", "95 %", "most", "both or neither"), rows)
    tracks = [_voiced(a, b) for a, b in zip(ours, theirs, strict=True)]
    voiced = np.concatenate([each[0] for each in tracks])
    apart = np.concatenate([each[1] for each in tracks])
    texts = [
        [r.text for r in a.remarks] == [r.text for r in b.remarks]
        for a, b in zip(ours, theirs, strict=True)
    ]
    show(
        "Melody and remarks",
        ("", "here"),
        (
            (f"of {len(voiced)} frames, voiced in both or neither", f"{voiced.mean():.2%}"),
            (
                "F0, 99 % of the frames apart by less than",
                f"{np.quantile(apart, 0.99):.4f} semitones",
            ),
            ("recordings with the same remarks", f"{np.mean(texts):.1%}"),
        ),
    )


def _voiced(ours: Assessment, theirs: Assessment) -> tuple[Any, Any]:
    """Of each frame whether both are voiced or neither, and of voiced ones how far F0 is apart."""
    contours = [each.prosody.contour if each.prosody else None for each in (ours, theirs)]
    if None in contours:
        return np.zeros(0, dtype=bool), np.zeros(0)
    one, other = (np.array([f or np.nan for f in c.f0_hz], dtype=float) for c in contours if c)
    if len(one) != len(other):
        return np.zeros(len(other), dtype=bool), np.zeros(0)
    both = ~np.isnan(one) & ~np.isnan(other)
    return np.isnan(one) == np.isnan(other), np.abs(12 * np.log2(one[both] / other[both]))


def renderer(browser: Any) -> tuple[float, float]:
    """Of the largest process of pages: MB that no file stands behind, and processor seconds."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pages = [each for each in processes["processInfo"] if each["type"] == "renderer"]
    return max((memory(page["id"])["RssAnon"], page["cpuTime"]) for page in pages)


def measured(
    browser: Any,
    url: str,
    threads: int,
    said: list[tuple[str, Audio, str]],
    timed: tuple[str, Audio, str],
) -> Any:
    """Time a page on this host with one recording, and give what it makes of others."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url + "nativeear/")
    first_s = page.evaluate(LOAD, threads)
    page.reload()
    idle_s = renderer(browser)[1]
    ready_s = page.evaluate(LOAD, threads)
    loading_s = renderer(browser)[1] - idle_s
    results = []
    for name, audio, text in said:
        started = perf_counter()
        _, found = page.evaluate(ASSESS, [audio.samples.tolist(), text])
        print(f"{name}: {perf_counter() - started:.1f} s", flush=True)
        results.append(Assessment.model_validate(found))
    _, audio, text = timed
    sample = [audio.samples.tolist(), text]
    page.evaluate(ASSESS, sample)
    before_mb, before_s = renderer(browser)
    spent = [page.evaluate(ASSESS, sample)[0] for _ in range(REPEATS)]
    after_mb, after_s = renderer(browser)
    context.close()
    # as if it had the length that is asked for: all work grows with it
    longer = SECONDS / audio.duration_s
    busy_s = longer * (after_s - before_s) / REPEATS
    return (
        first_s,
        (ready_s, loading_s),
        (longer * float(np.median(spent)), busy_s),
        before_mb,
        after_mb,
        results,
    )


def encoding_s(assessor: Assessor, audio: Audio) -> str:
    """Least seconds of a processor that Python's encoder takes for as long as is asked for."""
    spent = []
    for _ in range(ENCODINGS):
        started = process_time()
        assessor.encoder.encode(audio)
        spent.append(process_time() - started)
    return f"{min(spent) * SECONDS / audio.duration_s:.3f} s"


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--recordings", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright  # its options can be read without it

    said = recordings(options.recordings)
    assessor = nativeear.load("en-US")
    timed = min(said, key=lambda each: abs(each[1].duration_s - SECONDS))
    theirs = [assessor.assess(audio, text) for _, audio, text in said]
    rounding = [("as it is", encoding_s(assessor, timed[1]))]
    assessor = without_rounding(assessor)
    rounding.append(("without rounding", encoding_s(assessor, timed[1])))
    unrounded = [assessor.assess(audio, text) for _, audio, text in said]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        write_demo(nativeear.PhoneIndex.open(find_index("en-US")), ROOT / "web" / "dist", site)
        size_mb = sum(f.stat().st_size for f in (site / "pack").glob("*.*")) / 1e6
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=["--no-sandbox"]
        )
        ours: list[Assessment] = []
        with hosted(site) as url:
            for threads in options.threads:
                left = said if not ours else []
                found = measured(browser, url, threads, left, timed)
                ours = ours or found[-1]
                print(f"{threads} threads" if threads > 1 else "1 thread")
                tell_cost(size_mb, found)
        browser.close()
    title = f"Python's encoder, {SECONDS:g} s of speech"
    show(title, ("", "of a processor"), rounding)
    parity("Python as it is", ours, theirs)
    parity("Python without rounding", ours, unrounded)
    parity_of_the_whole(ours, unrounded)


def tell_cost(size_mb: float, found: Any) -> None:
    """Print what `measured` found beside what is wanted."""
    first_s, (ready_s, loading_s), (assess_s, busy_s), before_mb, after_mb, _ = found
    show_aims(
        (
            ("pack", f"{MOST_MB:g} MB", f"{size_mb:.1f} MB", size_mb <= MOST_MB),
            ("ready, first", "–", f"{first_s:.2f} s", True),
            ("ready, kept", f"{MOST_READY_S:g} s", f"{ready_s:.2f} s", ready_s <= MOST_READY_S),
            ("the same, of a processor", "–", f"{loading_s:.2f} s", True),
            (
                f"{SECONDS:g} s of speech",
                f"{MOST_ASSESS_S:g} s",
                f"{assess_s:.2f} s",
                assess_s <= MOST_ASSESS_S,
            ),
            ("the same, of a processor", "–", f"{busy_s:.2f} s", True),
            (
                "memory",
                f"{MOST_MEMORY_MB:g} MB",
                f"{after_mb:.0f} MB",
                after_mb <= MOST_MEMORY_MB,
            ),
            ("left by three more", "0 MB", f"{after_mb - before_mb:+.0f} MB", True),
        )
    )


if __name__ == "__main__":
    main()
