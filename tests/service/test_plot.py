from pathlib import Path

import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.prosody.assessment import F0, Contour, Prosody
from nativeear.service.prosody_plot import check_picture, plot_prosody
from nativeear.speech.errors import InputError

pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")


@pytest.fixture
def sung(assessment: Assessment) -> Assessment:
    times = tuple(i / 100 for i in range(10, 120))
    contour = Contour(
        t_s=times,
        f0_hz=tuple(None if 40 < i < 50 else 200.0 - i for i in range(len(times))),
        intensity_db=tuple(60.0 for _ in times),
    )
    prosody = Prosody(
        f0=F0(median_hz=150.0), contour=contour, native_contour_semitones=(2.0, 0.0, -2.0)
    )
    return assessment.model_copy(update={"prosody": prosody})


def test_words_and_both_melodies_are_drawn_and_the_bytes_repeat(
    sung: Assessment, tmp_path: Path
) -> None:
    plot_prosody(sung, tmp_path / "one.svg")
    plot_prosody(sung, tmp_path / "two.svg")
    drawn = (tmp_path / "one.svg").read_text(encoding="utf-8")
    for word in ("I", "think", "azure", "native, at your pitch"):
        assert f"<!-- {word} -->" in drawn
    assert drawn == (tmp_path / "two.svg").read_text(encoding="utf-8")
    plot_prosody(sung, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_melody_the_reason_is_told(assessment: Assessment, tmp_path: Path) -> None:
    mute = assessment.model_copy(update={"warnings": ("Melody was not measured: whispered.",)})
    with pytest.raises(InputError) as caught:
        plot_prosody(mute, tmp_path / "none.png")
    assert "whispered" in caught.value.cause
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize("name", ["a.gif", "nowhere/a.png"])
def test_a_picture_that_cannot_be_written_is_refused_first(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        check_picture(tmp_path / name)
