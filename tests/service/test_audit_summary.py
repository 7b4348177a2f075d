from nativeear.indexer.audit.coverage import SexCoverage, coverage
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.audit_summary import sexes_sentence


def test_sexes_are_told_where_a_corpus_states_any(tone_index: PhoneIndex) -> None:
    held = coverage(tone_index)
    assert sexes_sentence(held) == ""
    parts = (
        SexCoverage(sex="f", exemplars=60, speakers=2, minutes=1.25),
        SexCoverage(sex=None, exemplars=30, speakers=1, minutes=0.5),
    )
    told = sexes_sentence(held.model_copy(update={"by_sex": parts}))
    assert told == " (women 2, 1.2 min of phones; not stated 1, 0.5 min of phones)"
