"""Recognition by faster-whisper, with a model that lies in a folder. Nothing is ever downloaded."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing
from nativeear.speech.languages import primary_subtag
from nativeear.speech.recogniser import RecognisedWord

FOLDER_VARIABLE = "NATIVEEAR_ASR"
"""Environment variable that names the folder of the model."""

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")
"""Without its tokenizer in the folder, faster-whisper would go and download one."""

HOW_TO_GET = (
    "pip install 'nativeear[asr]', download a model, as with `hf download "
    "Systran/faster-whisper-small --local-dir whisper-small`, and give --asr whisper-small"
)


class WhisperRecogniser:
    """A Whisper model in the format of CTranslate2, in a folder with `MODEL_FILES`.

    Raises
    ------
    InputError
        If the folder is no such model.
    MissingDependencyError
        If faster-whisper is not installed.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
        if missing:
            raise InputError(
                f"{folder} is no folder of a faster-whisper model.",
                cause=f"It has no {', '.join(missing)}.",
                fix=f"{HOW_TO_GET}.",
            )
        with needing("asr", "Recognition"):
            from faster_whisper import WhisperModel
        try:
            self._model: Any = WhisperModel(str(folder), compute_type="default")
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(
                f"The model in {folder} cannot be loaded.", cause=str(error), fix=f"{HOW_TO_GET}."
            ) from error
        self.name = folder.resolve().name
        self._one_at_a_time = threading.Lock()

    def transcribe(self, audio: Audio, language: str) -> tuple[RecognisedWord, ...]:
        """See `Recogniser.transcribe`.

        What was said before does not lead what is written next, for that invents repetitions.
        """
        spoken = primary_subtag(language)
        known = self._model.supported_languages
        if spoken not in known:
            raise InputError(
                f"The recogniser {self.name} does not know the language {language}.",
                cause=f"It knows {', '.join(sorted(known)[:10])}"
                + (" …" if len(known) > 10 else "."),
                fix="Give a model that knows it, or leave --asr out.",
            )
        with self._one_at_a_time:
            segments, _ = self._model.transcribe(
                audio.samples,
                language=spoken,
                word_timestamps=True,
                condition_on_previous_text=False,
            )
            return tuple(
                RecognisedWord(
                    word.word.strip(), float(word.start), float(word.end), float(word.probability)
                )
                for segment in segments
                for word in segment.words or ()
                if word.word.strip()
            )


def find_recogniser(folder: Path | None) -> WhisperRecogniser | None:
    """The model in the named folder, else in that of `NATIVEEAR_ASR`; None where none is named.

    Raises
    ------
    InputError, MissingDependencyError
        As `WhisperRecogniser`.
    """
    named = folder or (Path(value) if (value := os.environ.get(FOLDER_VARIABLE)) else None)
    return None if named is None else WhisperRecogniser(named)
