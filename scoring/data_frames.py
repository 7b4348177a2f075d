"""A result as a pandas data frame: a row per phone, or a row per word.

pandas is imported here and nowhere else, and only when a frame is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.verdicts import FLAGGED, Verdict
from nativeear.speech.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    import pandas as pd

Rows = Literal["phones", "words"]

_PHONE_DTYPES = {
    "id": "object",
    "word_index": "int64",
    "word": "object",
    "phone_index": "int64",
    "phone": "object",
    "ipa": "object",
    "start_s": "float64",
    "end_s": "float64",
    "score": "float64",
    "verdict": "category",
    "probability_mispronounced": "float64",
    "sounds_like": "object",
    "sounds_like_ipa": "object",
    "sounds_like_probability": "float64",
    "knn_margin": "float64",
    "knn_canonical_share": "float64",
    "knn_coverage": "int64",
    "gop_sf": "float64",
    "gop_sf_sd": "float64",
    "gop_margin": "float64",
    "feedback": "object",
}

_WORD_DTYPES = {
    "id": "object",
    "word_index": "int64",
    "word": "object",
    "start_s": "float64",
    "end_s": "float64",
    "score": "float64",
    "omitted": "bool",
    "variant": "Int64",
    "phones": "int64",
    "phones_flagged": "int64",
    "stress_expected": "Int64",
    "stress_observed": "Int64",
    "stress_score": "float64",
}


def data_frame(assessment: Assessment, rows: Rows = "phones") -> pd.DataFrame:
    """Lay a result out in rows; what was not measured is NaN, or NA in whole numbers.

    Parameters
    ----------
    assessment
        The result.
    rows
        `phones` or `words`.

    Returns
    -------
    pandas.DataFrame
        The columns are the fields of the JSON, nested ones joined by `_`. `id` names the
        recording, `word_index` the word in it and `phone_index` the phone in that, from 0;
        `sounds_like` is the phone that the sound was nearest to. The columns and their dtypes do
        not depend on the result, so frames of many recordings can be concatenated.

    Raises
    ------
    InputError
        If `rows` is neither.
    MissingDependencyError
        If pandas is not installed.
    """
    if rows not in get_args(Rows):
        raise InputError(
            f"A result has no rows of {rows!r}.", fix="Ask for 'phones' or for 'words'."
        )
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError(
            "pandas is needed to lay a result out as a data frame, and is not installed.",
            cause=str(error),
            fix="pip install 'nativeear[pandas]'",
        ) from error
    made, dtypes = (
        (_phone_rows(assessment), _PHONE_DTYPES)
        if rows == "phones"
        else (_word_rows(assessment), _WORD_DTYPES)
    )
    columns = {
        name: pd.Series(
            [row[name] for row in made],
            dtype=pd.CategoricalDtype(get_args(Verdict)) if dtype == "category" else dtype,
        )
        for name, dtype in dtypes.items()
    }
    return pd.DataFrame(columns)


def _phone_rows(assessment: Assessment) -> list[dict[str, Any]]:
    made = []
    for word_index, word in enumerate(assessment.words):
        for phone_index, phone in enumerate(word.phones):
            nearest = phone.sounds_like[0] if phone.sounds_like else None
            row = {
                "id": assessment.id,
                "word_index": word_index,
                "word": word.word,
                "phone_index": phone_index,
                "phone": phone.phone,
                "ipa": phone.ipa,
                "start_s": phone.start_s,
                "end_s": phone.end_s,
                "score": phone.score,
                "verdict": phone.verdict,
                "probability_mispronounced": phone.probability_mispronounced,
                "sounds_like": nearest and nearest.phone,
                "sounds_like_ipa": nearest and nearest.ipa,
                "sounds_like_probability": nearest and nearest.probability,
                "knn_margin": phone.knn.margin,
                "knn_canonical_share": phone.knn.canonical_share,
                "knn_coverage": phone.knn.coverage,
                "gop_sf": phone.gop.sf,
                "gop_sf_sd": phone.gop.sf_sd,
                "gop_margin": phone.gop.margin,
                "feedback": phone.feedback,
            }
            made.append(row)
    return made


def _word_rows(assessment: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "id": assessment.id,
            "word_index": index,
            "word": word.word,
            "start_s": word.start_s,
            "end_s": word.end_s,
            "score": word.score,
            "omitted": word.omitted,
            "variant": word.variant,
            "phones": len(word.phones),
            "phones_flagged": sum(phone.verdict in FLAGGED for phone in word.phones),
            "stress_expected": word.stress and word.stress.expected,
            "stress_observed": word.stress and word.stress.observed,
            "stress_score": word.stress and word.stress.score,
        }
        for index, word in enumerate(assessment.words)
    ]
