from collections import defaultdict
from datetime import date, datetime, timezone
from statistics import fmean

import pytest
from sqlalchemy import text

from nativeear.scoring.assessment import Assessment, Transcript
from nativeear.scoring.verdicts import Verdict
from nativeear.service.database.connection import open_engine
from nativeear.service.database.ownership import ALL

VERDICTS: tuple[Verdict, ...] = ("correct", "accented", "substituted", "deleted", "uncertain")


def varied(assessment: Assessment, seed: int) -> Assessment:
    """The same phones with other verdicts and scores, some without."""
    words = []
    turn = seed
    for word in assessment.words:
        phones = []
        for phone in word.phones:
            turn += 1
            verdict = VERDICTS[turn % 5]
            score = None if verdict == "uncertain" else float((turn * 37) % 101)
            phones.append(phone.model_copy(update={"verdict": verdict, "score": score}))
        words.append(word.model_copy(update={"phones": tuple(phones)}))
    score = assessment.score.model_copy(update={"overall": float(seed * 10) if seed else None})
    return assessment.model_copy(update={"words": tuple(words), "score": score})


def expected(results: list[Assessment]) -> dict[str, tuple[int, object, object]]:
    """Count, mean and flagged share by phone, counted one by one."""
    found = defaultdict(list)
    for result in results:
        for word in result.words:
            for phone in word.phones:
                found[phone.phone].append(phone)
    told = {}
    for name, phones in found.items():
        scores = [phone.score for phone in phones if phone.score is not None]
        judged = [phone.verdict for phone in phones if phone.verdict != "uncertain"]
        wrong = sum(verdict != "correct" for verdict in judged)
        told[name] = (
            len(phones),
            pytest.approx(fmean(scores)) if scores else None,
            pytest.approx(wrong / len(judged)) if judged else None,
        )
    return told


def figures(phones) -> dict[str, tuple[int, object, object]]:
    return {phone.phone: (phone.count, phone.mean_score, phone.flagged_share) for phone in phones}


def test_a_learners_phones_are_counted_by_day(url, store, new, assessment) -> None:
    results = [varied(assessment, seed) for seed in range(6)]
    days = [date(2026, 3, 1 + seed // 2) for seed in range(6)]
    engine = open_engine(url)
    for seed, (result, day) in enumerate(zip(results, days, strict=True)):
        saved = store.save_assessment(new(result, learner_id="ana", text=f"sentence {seed}"))
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE assessments SET day = :day, created_at = :at WHERE id = :id"),
                {"day": str(day), "at": f"{day} 10:00:00.00000{seed}", "id": saved.id},
            )
    engine.dispose()
    store.save_assessment(new(varied(assessment, 9), learner_id="bo"))

    progress = store.learner_progress("ana", key_id=None)
    assert figures(progress.phones) == expected(results)
    assert [phone.phone for phone in progress.phones] == sorted(expected(results))
    for phone in progress.phones:
        assert [figure.day for figure in phone.days] == sorted(set(days))
        for figure in phone.days:
            there = [result for result, day in zip(results, days, strict=True) if day == figure.day]
            told = (figure.count, figure.mean_score, figure.flagged_share)
            assert told == expected(there)[phone.phone]
    assert [sentence.text for sentence in progress.sentences] == [
        f"sentence {seed}" for seed in range(6)
    ]
    assert [sentence.overall for sentence in progress.sentences] == [None, 10, 20, 30, 40, 50]


def test_the_day_is_that_of_the_moment_in_utc(store, new) -> None:
    saved = store.save_assessment(new(learner_id="ana"))
    days = {
        figure.day
        for phone in store.learner_progress("ana", key_id=None).phones
        for figure in phone.days
    }
    assert days == {saved.created_at.astimezone(timezone.utc).date()}


def test_a_group_is_summed_up_by_learner_and_phone(store, new, assessment) -> None:
    said = defaultdict(list)
    for seed, learner in enumerate(["ana", "bo", "ana", None]):
        result = varied(assessment, seed)
        said[learner].append(result)
        store.save_assessment(new(result, learner_id=learner, group="3b", key_id="k"))
    store.save_assessment(new(varied(assessment, 8), learner_id="ana", group="other", key_id="k"))

    summary = store.group_summary("3b", key_id=ALL)
    assert summary == store.group_summary("3b", key_id="k")
    assert summary.count == 4
    assert figures(summary.phones) == expected(
        [one for results in said.values() for one in results]
    )
    assert [learner.learner_id for learner in summary.learners] == ["ana", "bo"]
    for learner in summary.learners:
        mine = said[learner.learner_id]
        scores = [one.score.overall for one in mine if one.score.overall is not None]
        assert learner.count == len(mine)
        assert learner.mean_score == pytest.approx(fmean(scores))
        assert figures(learner.phones) == expected(mine)


def test_learners_are_listed_by_name(store, new) -> None:
    for learner in ("bo", "Ana", "ana", "bo", None):
        store.save_assessment(new(learner_id=learner))
    listed = store.learners(key_id=None)
    assert [(one.learner_id, one.count) for one in listed] == [("Ana", 1), ("ana", 1), ("bo", 2)]
    assert all(isinstance(one.first_at, datetime) and one.first_at.tzinfo for one in listed)
    assert listed[2].first_at < listed[2].last_at


def test_one_phone_in_two_languages_is_two(store, new) -> None:
    for language in ("en-US", "de-DE"):
        store.save_assessment(new(learner_id="ana", language=language))
    phones = store.learner_progress("ana", key_id=None).phones
    assert len(phones) == 2 * len({phone.phone for phone in phones})


def test_sounds_that_nobody_meant_are_in_no_history_of_sounds(store, new, assessment) -> None:
    for source in ("phones", "recognised"):
        heard = Transcript(source=source, text="aɪ θɪŋk")
        spoken = assessment.model_copy(update={"transcript": heard})
        store.save_assessment(new(spoken, learner_id=source, group="g", text=None))
        progress = store.learner_progress(source, key_id=None)
        assert [(s.text, s.transcript) for s in progress.sentences] == [(None, "aɪ θɪŋk")]
        assert bool(progress.phones) == (source == "recognised")
    counted = {
        learner.learner_id: len(learner.phones)
        for learner in store.group_summary("g", key_id=None).learners
    }
    assert counted["phones"] == 0 < counted["recognised"]
    listed = store.assessments(key_id=None).items
    assert [item.transcript for item in listed] == ["aɪ θɪŋk"] * 2


def test_sounds_that_were_not_read_are_not_counted_as_practised(store, new, assessment) -> None:
    unread = assessment.words[0].model_copy(update={"start_s": None, "end_s": None})
    words = (unread, *assessment.words[1:])
    store.save_assessment(new(assessment.model_copy(update={"words": words}), learner_id="l"))
    counted = store.learner_progress("l", key_id=None).phones
    assert sum(phone.count for phone in counted) == sum(len(word.phones) for word in words[1:])
