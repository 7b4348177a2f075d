"""A result as a pandas data frame: a row per phone, or a row per word.

pandas is imported here and nowhere else, and only when a frame is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.verdicts import FLAGGED, Verdict
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing

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
    "boundary_doubt": "float64",
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
    with needing("pandas", "A data frame"):
        import pandas as pd
    dtypes = _PHONE_DTYPES if rows == "phones" else _WORD_DTYPES
    made = list((_phone_rows if rows == "phones" else _word_rows)(assessment))
    columns = {
        name: pd.Series(
            [row.get(name) for row in made],
            dtype=pd.CategoricalDtype(get_args(Verdict)) if dtype == "category" else dtype,
        )
        for name, dtype in dtypes.items()
    }
    return pd.DataFrame(columns)


def _phone_rows(assessment: Assessment) -> Iterator[dict[str, Any]]:
    for word_index, word in enumerate(assessment.words):
        for phone_index, phone in enumerate(word.phones):
            place = {"word_index": word_index, "word": word.word, "phone_index": phone_index}
            nearest: dict[str, Any] = {"sounds_like": None}
            if phone.sounds_like:
                first = phone.sounds_like[0]
                nearest = {"sounds_like": first.phone, **_fields(first, "sounds_like_")}
            yield {"id": assessment.id, **place, **_fields(phone), **nearest}


def _word_rows(assessment: Assessment) -> Iterator[dict[str, Any]]:
    for word_index, word in enumerate(assessment.words):
        flagged = sum(phone.verdict in FLAGGED for phone in word.phones)
        counts = {"phones": len(word.phones), "phones_flagged": flagged}
        yield {"id": assessment.id, "word_index": word_index, **_fields(word), **counts}


def _fields(model: BaseModel, prefix: str = "") -> dict[str, Any]:
    """The fields of a model, those of models in it with their names joined by `_`."""
    fields: dict[str, Any] = {}
    for name, value in model:
        if isinstance(value, BaseModel):
            fields |= _fields(value, f"{prefix}{name}_")
        else:
            fields[prefix + name] = value
    return fields
