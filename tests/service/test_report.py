import base64
import hashlib
import io
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import (
    Assessment,
    ExemplarEvidence,
    Remark,
    Scores,
    StressAssessment,
)
from nativeear.scoring.feedback.translation import with_advice_in
from nativeear.scoring.language_use import Correction, LanguageUse
from nativeear.scoring.prosody.assessment import F0, Contour, Fluency, MeasureGrade, Pauses, Prosody
from nativeear.scoring.second_ear import SecondEar, SecondScores, SecondWord
from nativeear.service.cli import app
from nativeear.service.report import clips as clips_of_report
from nativeear.service.report import words as words_of_report
from nativeear.service.report.clips import MARGIN_S, data_uri, native_clips, word_spans
from nativeear.service.report.page import render_page, write_report
from nativeear.service.report.spectrogram import (
    MAX_COLUMNS,
    hop_of,
    outline,
    png,
    spectrogram_db,
    spectrogram_png,
)
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError

RATE = 16_000
TEMPLATES = Path(words_of_report.__file__).parents[1] / "templates"
EXTERNAL = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["']?(?!data:)[a-z]*:?//""", re.I)
VOID = {"meta", "br", "hr", "img"}


class Page(HTMLParser):
    """What a browser would make of a page: elements with attributes and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.inline:
            self.inline[self._open[-1]].append(data)
        else:
            self.text += f" {data}"

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            its
            for name, its in self.found
            if name == tag and all(value in its.get(key, "") for key, value in wanted.items())
        ]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def hum(seconds: float) -> Audio:
    t = np.arange(round(seconds * RATE)) / RATE
    return Audio((0.3 * np.sin(2 * np.pi * 200 * t)).astype(np.float32))


def evidence_of(index: PhoneIndex, *rows: int) -> tuple[ExemplarEvidence, ...]:
    return tuple(
        ExemplarEvidence(
            exemplar=row,
            phone=index.exemplar(row).phone,
            similarity=0.9,
            word=index.exemplar(row).word,
            speaker=index.exemplar(row).speaker,
        )
        for row in rows
    )


def with_phone(assessment: Assessment, word: int, place: int, **changes: object) -> Assessment:
    """The assessment with one phone changed."""
    phones = list(assessment.words[word].phones)
    phones[place] = phones[place].model_copy(update=changes)
    words = list(assessment.words)
    words[word] = words[word].model_copy(update={"phones": tuple(phones)})
    return assessment.model_copy(update={"words": tuple(words)})


@pytest.fixture
def heard(assessment: Assessment, tone_index: PhoneIndex) -> Assessment:
    """The assessment with evidence that is in the index of tones."""
    rows = (tone_index.rows_of("S").start, tone_index.rows_of("IY").stop - 1)
    found = with_phone(assessment, 1, 0, evidence=evidence_of(tone_index, *rows))
    return found.model_copy(update={"index": tone_index.name})


@pytest.fixture
def page(heard: Assessment, tone_index: PhoneIndex) -> str:
    return render_page(heard, hum(2.04), tone_index)


# The page


def test_what_was_found_can_be_read(page: str) -> None:
    words = Page(page).words
    assert "Overall 62 Pronunciation 62 Fluency not measured Prosody not measured" in words
    assert "training-free, against the native speech of tones (en-US), heard by spectral" in words
    assert "The recording has two channels" in words
    assert "θ× 4 another sound was heard Probability of a mispronunciation: 96%" in words
    assert "Sounds like s 81%" in words
    assert "ʒ? – not measured cannot be judged Probability of a mispronunciation: not measured" in (
        words
    )
    assert "θ s 1 think" in words.partition("Meant Most like Times In")[2]
    assert "k not heard 1 think" in words
    assert "s after “think”, 0.80–0.91 s" in words


def test_advice_is_in_the_language_that_is_asked_for(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    german = with_advice_in(heard, "de", tone_index.inventory).insertions[0].feedback
    assert german != heard.insertions[0].feedback
    page = render_page(heard, hum(2.04), tone_index, advice_language="de")
    assert german in Page(page).words


def test_numbers_that_were_not_measured_are_not_invented(page: str) -> None:
    assert "GOP-SF not measured" in Page(page).words
    assert "None" not in Page(page).words
    assert "nan" not in Page(page).words.casefold()


def test_every_word_opens_a_panel_of_its_own_that_is_closed_at_first(page: str) -> None:
    parsed = Page(page)
    buttons = parsed.all("button", class_="word")
    assert [button["aria-expanded"] for button in buttons] == ["false"] * 3
    panels = {panel["id"]: panel for panel in parsed.all("section", class_="panel")}
    assert [button["aria-controls"] for button in buttons] == list(panels)
    assert all("hidden" in panel for panel in panels.values())


def test_whatever_is_written_stays_text(heard: Assessment, tone_index: PhoneIndex) -> None:
    evil = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>&amp;"
    words = tuple(
        word.model_copy(
            update={
                "word": evil,
                "phones": tuple(
                    phone.model_copy(update={"ipa": evil, "phone": evil, "feedback": evil})
                    for phone in word.phones
                ),
            }
        )
        for word in heard.words
    )
    named = {"id": evil, "language": evil, "encoder": evil, "calibration": evil}
    attacked = heard.model_copy(update={**named, "warnings": (evil,), "words": words})
    harmless, attack = (Page(render_page(a, hum(2.04), tone_index)) for a in (heard, attacked))
    assert len(attack.all("script")) == len(harmless.all("script")) == 1
    assert attack.all("img") == []
    assert not any(name.startswith("on") for _, its in attack.found for name in its)
    assert attack.words.count("<script>alert('1')</script>\"><img src=x onerror=alert(1)>&amp;") > 9
    assert attack.inline["script"] == harmless.inline["script"]


def test_only_the_pages_own_script_and_style_may_run(page: str) -> None:
    parsed = Page(page)
    (policy,) = (m["content"] for m in parsed.all("meta") if "http-equiv" in m)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == rules["media-src"] == "data:"
    for kind in ("script", "style"):
        (text,) = parsed.inline[kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
        assert len(parsed.all(kind)) == 1
    assert not any("style" in its for _, its in parsed.found)  # the policy would refuse it


def test_nothing_outside_of_the_file_is_named(page: str) -> None:
    assert not EXTERNAL.search(page)
    assert EXTERNAL.search('<img src="//elsewhere/x.png">')
    named = [its[key] for _, its in Page(page).found for key in ("src", "href") if key in its]
    assert named
    assert all(name.startswith("data:") for name in named)


def test_every_button_plays_a_sound_that_is_in_the_file(
    page: str, heard: Assessment, tone_index: PhoneIndex
) -> None:
    parsed = Page(page)
    lengths = {}
    for audio in parsed.all("audio"):
        encoded = audio["src"].partition(";base64,")[2]
        lengths[audio["id"]] = soundfile.info(io.BytesIO(base64.b64decode(encoded))).duration
    assert len(lengths) == 3
    assert lengths["learner"] == pytest.approx(2.04, abs=0.001)
    played = [its["data-play"] for _, its in parsed.found if "data-play" in its]
    assert played
    for part in " ".join(played).split():
        clip, start, end = part.split(",")
        assert 0 <= float(start) < float(end) <= lengths[clip] + 2 * MARGIN_S
    first, second = (item.exemplar for item in heard.words[1].phones[0].evidence)
    clips = native_clips((first, second), tone_index)
    inside = [(clips[row].id, clips[row].start_s, clips[row].end_s) for row in (first, second)]
    in_turn = " ".join(f"{clip},{start:.3f},{end:.3f}" for clip, start, end in inside)
    assert f"learner,0.370,0.530 {in_turn}" in played


def test_an_exemplar_without_a_recording_is_named_without_a_button(
    heard: Assessment, tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PhoneIndex, "clip", lambda self, row: None)
    parsed = Page(render_page(heard, hum(2.04), tone_index))
    assert len(parsed.all("audio")) == 1
    assert "s in “word” speaker anna, similarity 0.90" in parsed.words
    assert "No recordings of these native words are at hand." in parsed.words
    assert not parsed.all("button", **{"data-play": "native"})


def test_sounds_without_evidence_say_so(page: str) -> None:
    assert Page(page).words.count("No native exemplars stand behind this verdict.") == 5


def test_a_sound_that_was_not_found_has_no_place_in_the_recording(page: str) -> None:
    marked = [its["aria-label"] for its in Page(page).all("g")]
    assert "θ in think, another sound was heard" in marked
    assert not any(label.startswith("k in think") for label in marked)
    assert "k− 0 not heard" in Page(page).words


def test_a_text_that_matches_nothing_still_makes_a_page(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    nowhere = {"start_s": None, "end_s": None}
    lost = {"score": 0.0, "verdict": "deleted", "evidence": (), "sounds_like": ()}
    words = tuple(
        word.model_copy(
            update={
                **nowhere,
                "omitted": True,
                "phones": tuple(p.model_copy(update=nowhere | lost) for p in word.phones),
            }
        )
        for word in heard.words
    )
    unmatched = heard.model_copy(update={"words": words, "insertions": (), "score": Scores()})
    parsed = Page(render_page(unmatched, hum(2.04), tone_index))
    assert parsed.words.count("left out") == 6
    assert parsed.all("g") == []
    assert "Confusions" not in parsed.words
    assert "Overall not measured" in parsed.words


def test_what_was_read_beside_the_text_is_marked_and_explained(
    slipped: Assessment, tone_index: PhoneIndex
) -> None:
    slipped = slipped.model_copy(update={"index": tone_index.name})
    parsed = Page(render_page(slipped, hum(2.04), tone_index))
    sentence = parsed.words.partition("Choose a word to see and hear its sounds.")[2]
    assert sentence.split()[:6] == ["I", "91", "↻", "think", "left", "out"]
    assert "+ so , not in the text" in sentence
    assert "? cannot be judged ↻ said again + not in the text" in sentence
    marked = [its["aria-label"] for its in parsed.all("g")]
    assert {"I, said again", "so, not in the text"} <= set(marked)


def test_fluency_and_melody_are_shown_once_they_are_measured(
    heard: Assessment, tone_index: PhoneIndex, page: str
) -> None:
    assert "Fluency" not in Page(page).words.partition("Words")[2]
    pauses = Pauses(count=2, mean_s=None, ratio=0.25, long_count=1)
    contour = Contour(t_s=(0.1, 0.2, 0.3, 0.4), f0_hz=(100.0, 120.0, None, 150.0))
    measured = heard.model_copy(
        update={
            "fluency": Fluency(words_per_minute=88.2, pauses=pauses),
            "prosody": Prosody(f0=F0(median_hz=120.4), contour=contour),
        }
    )
    parsed = Page(render_page(measured, hum(2.04), tone_index))
    assert "Words per minute 88 Pauses 2 Pauses over 0.4 s 1 Share of pauses 25%" in parsed.words
    assert "Median pitch, Hz 120" in parsed.words
    assert "nPVI" not in parsed.words
    assert len(parsed.all("polyline", class_="pitch")) == 2
    assert parsed.all("svg", role="img")[0]["aria-label"].endswith("from 100 to 150 Hz")
    nothing = heard.model_copy(update={"fluency": Fluency(), "prosody": Prosody()})
    assert "Melody" not in Page(render_page(nothing, hum(2.04), tone_index)).words


def test_measures_stand_among_those_of_natives_and_only_once(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    grade = MeasureGrade(
        measure="pause_ratio",
        value=0.3,
        native_low=0.01,
        native_median=0.05,
        native_high=0.2,
        score=31.0,
    )
    unknown = grade.model_copy(update={"measure": "some_thing"})
    pauses = Pauses(count=2, mean_s=None, ratio=0.3, long_count=1)
    fluency = Fluency(pauses=pauses, grades=(grade, unknown))
    parsed = Page(render_page(heard.model_copy(update={"fluency": fluency}), hum(2.04), tone_index))
    assert "Share of pauses 30% 1% to 20% 31" in parsed.words
    assert "some thing 0.30 0.01 to 0.20 31" in parsed.words
    assert parsed.words.count("Share of pauses") == 1


def test_remarks_say_what_to_practise_and_lead_to_the_words(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    remark = Remark(
        text="You said /s/ instead of /θ/.",
        phone="TH",
        ipa="θ",
        heard="S",
        heard_ipa="s",
        places=((1, 0), (1, 2), (2, 0)),
        minimal_pairs=(("think", "sink"), ("thing", "sing")),
        l1_note="French has no /θ/.",
    )
    remarked = heard.model_copy(update={"remarks": (remark,) * 4, "explanation": "Well <done>."})
    parsed = Page(render_page(remarked, hum(2.04), tone_index))
    said = "You said /s/ instead of /θ/. French has no /θ/. To practise: think – sink, thing –"
    assert parsed.words.count(said) == 3
    leads = [button["data-word"] for button in parsed.all("button", class_="show")]
    assert leads == ["word-1", "word-2"] * 3
    assert set(leads) <= {panel["id"] for panel in parsed.all("section", class_="panel")}
    assert "Written by a language model, from the numbers alone. Well <done>." in parsed.words
    assert parsed.words.index("practise") < parsed.words.index("Choose a word")


def test_feedback_and_stress_stand_with_what_they_are_about(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    advised = with_phone(heard, 1, 0, feedback="Put the tongue between the teeth.")
    stress = StressAssessment(expected=0, observed=1, score=20.0)
    azure = advised.words[2].model_copy(update={"stress": stress})
    extra = advised.insertions[0].model_copy(update={"feedback": "Go straight on."})
    told = advised.model_copy(update={"words": (*advised.words[:2], azure), "insertions": (extra,)})
    words = Page(render_page(told, hum(2.04), tone_index)).words
    assert "another sound was heard Put the tongue between the teeth. Probability" in words
    assert "stressed on syllable 2 instead of 1" in words
    assert "0.80–0.91 s. Go straight on." in words


# How large it grows


def test_of_a_long_text_the_evidence_of_the_worst_sounds_is_shown(
    heard: Assessment, tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words_of_report, "MAX_DETAILED", 2)
    parsed = Page(render_page(heard, hum(2.04), tone_index))
    assert parsed.words.count("Probability of a mispronunciation") == 2
    assert "k− 0 not heard Probability of a mispronunciation: 100%" in parsed.words
    assert "ŋ~ 44 understood, but unlike natives ʒ" not in parsed.words


def test_the_number_of_clips_is_bounded(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips_of_report, "MAX_CLIPS", 3)
    assert list(native_clips([5, 5, 4, 9, 8, 7], tone_index)) == [5, 4, 9]


def test_a_long_recording_makes_no_wider_picture() -> None:
    long = Audio(np.tile(hum(10).samples, 12))
    assert hop_of(hum(2)) == 64
    assert hop_of(long) == 120
    assert spectrogram_db(long).shape == (129, MAX_COLUMNS)
    assert len(outline(long)[0]) == MAX_COLUMNS


# Pictures


def test_the_spectrogram_shows_a_tone_where_it_is() -> None:
    t = np.arange(RATE) / RATE
    tone = np.where(t < 0.5, np.sin(2 * np.pi * 1000 * t), np.sin(2 * np.pi * 5000 * t))
    decibels = spectrogram_db(Audio(tone.astype(np.float32)))
    assert decibels.shape == (129, 250)
    assert decibels.max() == 0
    assert decibels.min() == -60
    rows = decibels.argmax(axis=0)
    assert set(rows[5:120]) == {16}  # 62.5 Hz a row
    assert set(rows[130:245]) == {80}


def test_digital_silence_is_white_and_no_fault() -> None:
    silent = Audio(np.zeros(RATE, np.float32))
    assert (spectrogram_db(silent) == -60).all()
    assert spectrogram_png(silent) == png(np.full((129, 250), 15, np.uint8))


@pytest.mark.parametrize("width", [6, 7])
def test_a_png_holds_the_levels_that_it_was_given(width: int) -> None:
    levels = np.arange(3 * width, dtype=np.uint8).reshape(3, width) % 16
    data = png(levels)
    chunks, at = {}, 8
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        checksum = int.from_bytes(data[at + 8 + size : at + 12 + size], "big")
        assert checksum == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    assert chunks[b"IHDR"] == width.to_bytes(4, "big") + (3).to_bytes(4, "big") + b"\4\0\0\0\0"
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(3, -1)
    assert (rows[:, 0] == 0).all()
    pixels = np.stack([rows[:, 1:] >> 4, rows[:, 1:] & 15], axis=2).reshape(3, -1)
    np.testing.assert_array_equal(pixels[:, :width], levels)


# Clips


def test_a_native_word_is_cut_out_whole_and_the_sound_lies_in_it(tone_index: PhoneIndex) -> None:
    row = next(r for r in range(9) if 0.4 < tone_index.exemplar(r).start_s < 0.6)
    exemplar = tone_index.exemplar(row)
    table = tone_index.table.to_pylist()
    same = [
        line for line in table if (line["utterance"], line["word"]) == (exemplar.utterance, "word")
    ]
    start, end = min(p["start_s"] for p in same), max(p["end_s"] for p in same)
    assert word_spans(tone_index, [row]) == {row: (start, end)}
    clip = native_clips([row], tone_index)[row]
    assert clip.duration_s == pytest.approx(end - start + 2 * MARGIN_S)
    assert clip.start_s == pytest.approx(exemplar.start_s - start)
    assert clip.end_s - clip.start_s == pytest.approx(
        exemplar.end_s - exemplar.start_s + 2 * MARGIN_S
    )


def test_a_word_is_not_longer_than_its_bound(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips_of_report, "MAX_WORD_S", 0.3)
    for row, (start, end) in word_spans(tone_index, range(20)).items():
        exemplar = tone_index.exemplar(row)
        assert start <= exemplar.start_s < exemplar.end_s <= end <= start + 0.3


def test_a_clip_that_cannot_be_decoded_is_left_out(
    tone_index: PhoneIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(b"fLaC of no use")
    whole = tone_index.clip(0)
    monkeypatch.setattr(PhoneIndex, "clip", lambda self, row: whole if row == 0 else broken)
    assert list(native_clips([1, 0], tone_index)) == [0]


def test_sound_is_wav_where_there_is_no_opus(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = hum(0.5)
    assert data_uri(audio).startswith("data:audio/ogg;base64,")
    monkeypatch.setattr(soundfile, "available_subtypes", lambda kind: {"VORBIS": ""})
    kind, _, encoded = data_uri(audio).partition(";base64,")
    assert kind == "data:audio/wav"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(encoded)), dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, audio.samples, atol=1e-4)


# Colours


def test_every_text_stands_out_from_its_ground() -> None:
    css = (TEMPLATES.parent / "page" / "colours.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        for block in re.findall(r":root \{([^}]*--none-rule[^}]*)\}", css)
    )

    def luminance(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:  # WCAG 2.2
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for theme in (light, dark):
        pairs = [(name, f"{name}-fill") for name in ("good", "fair", "poor", "none")]
        pairs += [(name, "paper") for name in ("good", "fair", "poor", "none")]
        pairs += [(name, ground) for name in ("ink", "soft") for ground in ("page", "paper")]
        pairs += [("ink", "none-fill"), ("paper", "accent")]
        for text, ground in pairs:
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)


# Files


def test_opinions_of_other_models_stand_apart_beside_ours_with_their_names(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    own = text_of(heard, tone_index)
    words = tuple(
        SecondWord(word=one.word, score=None if i == 0 else 12.0 + i)
        for i, one in enumerate(heard.words)
    )
    ear = SecondEar(
        model="an-ear", score=SecondScores(overall=17), words=words, remarks=("<b>Slow.",)
    )
    language = LanguageUse(
        model="a-reader",
        grammar=71,
        vocabulary=None,
        relevance=None,
        corrections=(Correction(said="I goes", better="I go", why="You are one."),),
    )
    told = text_of(
        heard.model_copy(update={"second_ear": ear, "language_use": language}), tone_index
    )
    assert told.startswith(own)  # what was measured is as it was, and before them
    added = told[len(own) :]
    ours = heard.score.overall
    assert f"Overall 17 {ours:.0f}" in added
    assert "<b>Slow." in added
    marks = [re.search(rf"{one.word} (\d+) ", added) for one in heard.words[:2]]
    assert [mark and mark[1] for mark in marks] == [None, "13"]
    assert "Grammar 71" in added
    assert "Vocabulary" not in added
    assert "“ I goes ” → “ I go ” You are one." in added
    assert [added.count(name) for name in ("an-ear", "a-reader")] == [1, 1]


def text_of(assessment: Assessment, index: PhoneIndex) -> str:
    return " ".join(Page(render_page(assessment, hum(1.0), index)).text.split())


def test_a_report_replaces_the_file_and_leaves_nothing_beside_it(
    heard: Assessment, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    file = tmp_path / "me.html"
    file.write_text("older", encoding="utf-8")
    write_report(file, heard, hum(2.04), tone_index)
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [file]


def test_a_report_that_cannot_be_written_leaves_nothing(
    heard: Assessment, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_report(tmp_path / "taken", heard, hum(2.04), tone_index)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_another_index_than_the_assessments_is_refused(
    heard: Assessment, tone_index: PhoneIndex
) -> None:
    other = heard.model_copy(update={"index": "other"})
    with pytest.raises(InputError, match="made with the index other, not with tones"):
        render_page(other, hum(2.04), tone_index)


def test_assess_writes_a_report(tone_index: PhoneIndex, tone_corpus: Path, tmp_path: Path) -> None:
    wav = tone_corpus / "anna" / "anna01.wav"
    arguments = ["assess", str(wav), "--phones", "M IY | S AA", "--index", str(tone_index.path)]
    result = CliRunner().invoke(app, [*arguments, "--html", str(tmp_path / "me.html")])
    assert result.exit_code == 0, result.output
    parsed = Page((tmp_path / "me.html").read_text(encoding="utf-8"))
    assert len(parsed.all("button", class_="word")) == 2
    assert len(parsed.all("audio")) > 1


def test_a_missing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "me.html"
    result = CliRunner().invoke(app, ["assess", "no.wav", "--text", "a", "--html", str(missing)])
    assert result.exit_code == 2
    assert f"The report cannot be written to {missing}." in result.output
