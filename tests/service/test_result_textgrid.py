from pathlib import Path

from nativeear.scoring.assessment import Assessment
from nativeear.service.result_textgrid import to_textgrid
from nativeear.speech.textgrid import TextGrid


def test_an_assessment_comes_back_from_its_textgrid(assessment: Assessment, tmp_path: Path) -> None:
    to_textgrid(assessment).save(tmp_path / "me.TextGrid")
    grid = TextGrid.load(tmp_path / "me.TextGrid")
    told = {
        tier.name: [(i.start_s, i.end_s, i.label) for i in tier.intervals if i.label]
        for tier in grid.tiers
    }
    spans = [(0.1, 0.3), (0.4, 0.5), (0.5, 0.6), (0.6, 0.8), (1.0, 1.2)]
    assert told["words"] == [(0.1, 0.3, "I"), (0.4, 0.8, "think"), (1.0, 1.2, "azure")]
    assert told["phones"] == [
        (*span, name) for span, name in zip(spans, ["AY", "TH", "IH", "NG", "ZH"], strict=True)
    ]
    assert told["scores"] == [
        (*span, score) for span, score in zip(spans[:-1], ["91", "4", "72", "44"], strict=True)
    ]
    assert [label for _, _, label in told["verdicts"]] == [
        "correct",
        "substituted",
        "correct",
        "accented",
        "uncertain",
    ]
    assert grid.end_s == 2.04


def test_an_assessment_that_found_nothing_gives_an_empty_grid(assessment: Assessment) -> None:
    lost = assessment.words[1].phones[-1]
    word = assessment.words[1].model_copy(
        update={"start_s": None, "end_s": None, "phones": (lost,)}
    )
    grid = to_textgrid(assessment.model_copy(update={"words": (word,)}))
    assert [tier.name for tier in grid.tiers] == ["words", "phones", "scores", "verdicts"]
    assert not any(tier.intervals for tier in grid.tiers)
