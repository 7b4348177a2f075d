import pytest

from nativeear.indexer.audit.coverage import CoverageReport, coverage
from nativeear.indexes.phone_index import PhoneIndex


@pytest.fixture(scope="module")
def report(tone_index: PhoneIndex) -> CoverageReport:
    return coverage(tone_index)


def test_every_exemplar_is_counted_once(report: CoverageReport, tone_index: PhoneIndex) -> None:
    counts = dict(tone_index.manifest.counts.phones)
    counts.pop("SIL", None)
    held = {p.phone: p.exemplars for p in report.phones if p.exemplars}
    assert held == counts
    assert report.exemplars - report.silences == sum(counts.values())
    for phone in report.phones:
        assert sum(map(sum, phone.contexts)) == phone.exemplars
    assert [p.phone for p in report.phones] == list(tone_index.inventory.symbols)
    assert set(report.missing) == set(tone_index.inventory.symbols) - set(counts)
    assert report.judged_share == pytest.approx(4 / len(report.phones), abs=1e-4)


def test_places_are_those_of_thirty_words_of_six_phones(report: CoverageReport) -> None:
    places = [p.positions for p in report.phones]
    # Two like phones beside each other are two phones; none of the words has one phone.
    assert sum(p.initial for p in places) == 30
    assert sum(p.final for p in places) == 30
    assert sum(p.medial for p in places) == 120
    assert sum(p.single for p in places) == 0


def test_contexts_are_the_classes_of_the_neighbours(
    report: CoverageReport, tone_index: PhoneIndex
) -> None:
    rows = tone_index.table.slice(*_span(tone_index, "M")).to_pylist()
    classes = report.context_classes
    kinds = {"IY": "vowel", "AA": "vowel", "M": "nasal", "S": "fricative", "SIL": "silence"}
    m = next(p for p in report.phones if p.phone == "M")
    for left in kinds.values():
        for right in kinds.values():
            expected = sum((kinds[r["left"]], kinds[r["right"]]) == (left, right) for r in rows)
            assert m.contexts[classes.index(left)][classes.index(right)] == expected


def test_what_the_language_has_and_the_index_lacks_is_unseen(
    report: CoverageReport, tone_index: PhoneIndex
) -> None:
    assert all(phone.unseen is None for phone in report.phones)
    known = {("M", "vowel", "silence"), ("T", "vowel", "stop")}
    found = {p.phone: p for p in coverage(tone_index, known).phones}
    m, classes = found["M"], report.context_classes
    place = (classes.index("vowel"), classes.index("silence"))
    assert m.unseen == (() if m.contexts[place[0]][place[1]] else (("vowel", "silence"),))
    assert found["T"].unseen == (("vowel", "stop"),)
    assert found["S"].unseen == ()


def test_a_phone_that_was_left_out_leaves_its_neighbours_without_a_place(
    tone_index: PhoneIndex,
) -> None:
    table = tone_index.table
    # The second phone of one word was not kept, as `--min-rating` does.
    word = sorted(
        (row for row in range(table.num_rows) if tone_index.exemplar(row).utterance.endswith("03")),
        key=lambda row: (tone_index.exemplar(row).utterance, tone_index.exemplar(row).start_s),
    )
    spoken = [row for row in word if tone_index.exemplar(row).phone != "SIL"]
    gone = spoken[1]
    phones = dict(tone_index.manifest.counts.phones)
    phones[tone_index.exemplar(gone).phone] -= 1
    counts = tone_index.manifest.counts.model_copy(
        update={"phones": phones, "exemplars": table.num_rows - 1}
    )
    import pyarrow as pa

    without = PhoneIndex(
        tone_index.path,
        tone_index.manifest.model_copy(update={"counts": counts}),
        tone_index.transform,
        pa.concat_tables([table.slice(0, gone), table.slice(gone + 1)]),
    )
    places = [p.positions for p in coverage(without).phones]
    assert sum(p.initial for p in places) == 29
    assert sum(p.medial for p in places) == 118
    assert sum(p.final for p in places) == 30


def _span(index: PhoneIndex, phone: str) -> tuple[int, int]:
    rows = index.rows_of(phone)
    return rows.start, rows.stop - rows.start
