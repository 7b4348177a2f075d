"""What Python users see of a result: data frames and notebooks."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from nativeear.scoring.assessment import (
    Assessment,
    FalseRejections,
    GopEvidence,
    KnnEvidence,
    PhoneAssessment,
    Reading,
    ReadingEvent,
    Remark,
    Scores,
    SoundsLike,
    StressAssessment,
    WordAssessment,
)
from nativeear.scoring.verdicts import SYMBOLS, Verdict
from nativeear.speech.errors import InputError


def phone(symbol: str, ipa: str, verdict: Verdict, score: float | None) -> PhoneAssessment:
    return PhoneAssessment(
        phone=symbol,
        ipa=ipa,
        start_s=0.5,
        end_s=0.6,
        score=score,
        verdict=verdict,
        probability_mispronounced=None if score is None else 0.25,
        sounds_like=() if score is None else (SoundsLike(phone="S", ipa="s", probability=0.9),),
        knn=KnnEvidence(margin=0.1, canonical_share=0.2, k=10, coverage=99),
        gop=GopEvidence(sf=-1.5),
        feedback='Put the tongue "between" the teeth & <blow>.',
    )


@pytest.fixture
def result() -> Assessment:
    return Assessment(
        id="me",
        language="en-US",
        index="mine",
        encoder="spectral",
        calibration="training-free",
        duration_s=1.0,
        score=Scores(pronunciation=61.4),
        words=(
            WordAssessment(
                word="<b>think</b>",
                start_s=0.5,
                end_s=0.9,
                score=40.0,
                stress=StressAssessment(expected=0, observed=None, score=None),
                phones=(
                    phone("TH", "θ", "substituted", 12.0),
                    phone("IH", "ɪ", "uncertain", None),
                ),
            ),
            WordAssessment(
                word="so",
                start_s=None,
                end_s=None,
                score=0.0,
                omitted=True,
                phones=(phone("S", "s", "deleted", 0.0),),
            ),
        ),
        remarks=(
            Remark(text="Say <θ> & not s.", phone="TH", ipa="θ", heard="S", places=((0, 0),)),
        ),
        warnings=('A "warning" <script>alert(1)</script>.',),
    )


def test_a_row_per_phone(result: Assessment) -> None:
    frame = result.to_frame()
    assert frame["phone"].tolist() == ["TH", "IH", "S"]
    assert frame["word_index"].tolist() == [0, 0, 1]
    assert frame["phone_index"].tolist() == [0, 1, 0]
    assert frame["verdict"].tolist() == ["substituted", "uncertain", "deleted"]
    assert frame["score"].tolist()[0] == 12.0
    assert np.isnan(frame["score"][1])
    assert np.isnan(frame["sounds_like_probability"][1])
    assert frame["sounds_like"].tolist() == ["S", None, "S"]
    assert frame["gop_sf_sd"].isna().all()
    assert frame["score"].dtype == frame["gop_margin"].dtype == np.float64
    assert set(frame["id"]) == {"me"}


def test_a_row_per_word(result: Assessment) -> None:
    frame = result.to_frame("words")
    assert frame["word"].tolist() == ["<b>think</b>", "so"]
    assert frame["omitted"].tolist() == [False, True]
    assert frame["phones"].tolist() == [2, 1]
    assert frame["phones_flagged"].tolist() == [1, 1]
    assert frame["stress_expected"][0] == 0
    assert frame["stress_observed"].isna().all()
    assert np.isnan(frame["start_s"][1])


@pytest.mark.parametrize("rows", ["phones", "words"])
def test_frames_of_many_recordings_go_together(result: Assessment, rows: str) -> None:
    nothing = result.model_copy(update={"words": (), "id": "silent"})
    first, empty = result.to_frame(rows), nothing.to_frame(rows)  # type: ignore[arg-type]
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == first.dtypes.to_dict()
    both = pd.concat([first, empty, first], ignore_index=True)
    assert both.dtypes.to_dict() == first.dtypes.to_dict()
    assert len(both) == 2 * len(first)


def test_what_was_written_as_json_loads_again(result: Assessment) -> None:
    again = Assessment.model_validate_json(result.model_dump_json())
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())
    assert "to_frame" not in result.model_dump()


def test_other_rows_are_refused(result: Assessment) -> None:
    with pytest.raises(InputError, match="no rows of 'frames'"):
        result.to_frame("frames")  # type: ignore[arg-type]


def test_pandas_is_imported_only_when_asked_for() -> None:
    code = (
        "import sys, nativeear, nativeear.scoring.assessor, nativeear.scoring.data_frames; "
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Page(HTMLParser):
    """What an HTML reader makes of a piece, whose elements all have to be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.titles: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)
        self.titles += [value or "" for name, value in attrs if name == "title"]
        assert {name for name, _ in attrs} <= {"style", "title", "lang", "dir"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_notebook_marks_what_was_read_beside_the_text(result: Assessment) -> None:
    first, *others = result.words
    events = (
        ReadingEvent(kind="repeated", word_index=1, heard="x", start_s=0.1, end_s=0.2),
        ReadingEvent(kind="extra", word_index=0, heard="so", start_s=0.3, end_s=0.4),
    )
    read = result.model_copy(
        update={
            "words": (first.model_copy(update={"omitted": True}), *others),
            "reading": Reading(matches=True, likelihood=0.99, events=events),
        }
    )
    text = " ".join(Page(read._repr_html_()).text.split())
    assert f"{first.word} left out + so {others[0].word} ↻" in text
    assert "↻ said again · + not in the text" in text


def test_a_notebook_shows_the_words_and_nothing_of_them_is_markup(result: Assessment) -> None:
    html = result._repr_html_()
    page = Page(html)
    assert page.tags <= {"div", "p", "span", "b", "s", "small", "ul", "li", "br"}
    for told in ("<b>think</b>", "θ" + SYMBOLS["substituted"], "ɪ" + SYMBOLS["uncertain"], "61"):
        assert told in page.text
    assert "Say <θ> & not s." in page.text
    assert '"warning" <script>alert(1)</script>' in page.text
    assert page.titles[0] == (
        '12, another sound was heard. Put the tongue "between" the teeth & <blow>.'
    )
    assert not re.search(r"https?:|url\(|src=|<script|<style", html)


def test_a_small_share_is_told_as_the_range_that_it_is() -> None:
    told = FalseRejections(asked=0.01, expected=(0.0071, 0.014)).sentence
    assert told == ("Of most natives 0.71 to 1.4 % of the sounds are flagged, where 1 % should be.")
