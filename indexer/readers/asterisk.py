"""The voice prompts of the Asterisk telephone system, as Debian packages them.

One native speaker for each of five languages, some 500 to 600 prompts each, recorded at 16 kHz and
kept as G.722: a real, small native corpus that any machine can install. Transcripts are lines
`name: text`. What is bracketed there is no speech (`[ascending tones]`, `(beep)`), a written sign
beside the word that is said (`dash [-]`), or a remark at the end; where it could be either, the
prompt is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from nativeear.indexer.corpus import LICENCE_NOT_STATED, UNKNOWN_SPEAKER, Corpus, Sorter, Utterance
from nativeear.indexer.readers.lines import numbered_lines
from nativeear.speech.errors import CorpusError
from nativeear.speech.languages import primary_subtag

SOUNDS = Path("/usr/share/asterisk/sounds")
DOCS = Path("/usr/share/doc")


@dataclass(frozen=True)
class Voice:
    """One of Debian's packages: its speaker and where the prompts lie below `SOUNDS`."""

    language: str
    folder: str
    speaker: str
    sex: str
    licence: str


VOICES = {
    "en": Voice("en-US", "en_US_f_Allison", "Allison", "f", "CC BY-SA 3.0"),
    "es": Voice("es-MX", "es_MX_f_Allison", "Allison", "f", "CC BY-SA 3.0"),
    "fr": Voice("fr-CA", "fr_CA_f_June", "June", "f", "CC BY-SA 3.0"),
    "it": Voice("it-IT", "it_IT_m_Carlo", "Carlo", "m", "CC BY 3.0"),
    "ru": Voice("ru-RU", "ru_RU_f_IvrvoiceRU", "IvrvoiceRU", "f", "CC BY 3.0"),
}
"""By the short form's language: `asterisk:en`. Licences as `debian/copyright` states them."""

_RUN_ON = re.compile(r"(?<=[\s.])([\w/-]+): ")
_ENCLOSED = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>")


def fits(path: Path) -> bool:
    """Whether this is a folder of prompts."""
    return path.is_dir() and next(path.rglob("*.g722"), None) is not None


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read Debian's prompts (`asterisk:en`), or a folder of prompts laid out like them.

    A folder is one of the five installed ones, or holds a transcript `core-sounds-*.txt` (or
    `.txt.gz`) of its own.

    Raises
    ------
    CorpusError
        If the package is not installed, or speaks another language than the one asked for.
    """
    scheme, _, short = path.partition(":")
    if scheme == "asterisk" and not Path(path).exists():
        if short not in VOICES:
            raise CorpusError(
                f"There are no asterisk prompts for {short!r}.",
                cause=f"Debian has {', '.join(VOICES)}.",
                fix="Write asterisk:en, for instance.",
            )
        folder = SOUNDS / VOICES[short].folder
    else:
        folder = Path(path)
        own = {voice.folder: key for key, voice in VOICES.items()}
        short = own.get(folder.resolve().name, "")
    voice = VOICES.get(short)
    if voice is not None and language is not None and primary_subtag(language) != short:
        raise CorpusError(
            f"{path} speaks {voice.language}, not {language}.",
            fix=f"Ask for {voice.language}, or for another corpus.",
        )
    files = {
        prompt.relative_to(folder).with_suffix("").as_posix(): prompt
        for prompt in sorted(folder.rglob("*.g722"))
    }
    transcript = _transcript(folder, short)
    if not files or transcript is None:
        raise _missing(path, short, "recordings" if not files else "transcripts")

    sorter = Sorter()
    folded = _unambiguous(files)
    transcribed = set()
    for number, prompt, written in _lines(transcript):
        # Some transcripts differ from the files in case: digits/1f, 1F.g722.
        file = files.get(prompt) or folded.get(prompt.casefold())
        transcribed.add(file)
        text, trouble = spoken_text(_own_text(written, files))
        if trouble:
            sorter.refuse(prompt, f"line {number}: {trouble}")
            continue
        sorter.add(
            Utterance(
                id=prompt,
                audio=file or folder / f"{prompt}.g722",
                text=text,
                speaker=voice.speaker if voice else UNKNOWN_SPEAKER,
                sex=voice.sex if voice else None,
            ),
            f"line {number}",
        )
    for prompt, file in files.items():
        if file not in transcribed:
            sorter.refuse(prompt, f"{transcript.name} has no text for it.")
    return sorter.corpus(
        name or (f"asterisk-{short}" if voice else folder.resolve().name),
        voice.language if voice else language or "und",
        voice.licence if voice else LICENCE_NOT_STATED,
    )


def spoken_text(written: str) -> tuple[str, str]:
    """What of a transcript is said, and the trouble if that cannot be told (else '')."""
    text = written.strip()
    enclosed = [found[0] for found in _ENCLOSED.finditer(text)]
    if not _ENCLOSED.sub("", text).strip():
        return "", f"it is no speech: {text}" if text else "the text is empty."
    for part in enclosed:
        sign = not any(character.isalnum() for character in part)
        remark = part.startswith("(") and text.rstrip(" .").endswith(part)
        if not (sign or remark):
            return "", f"it is not told whether {part} is said."
        text = text.replace(part, " ")
    return " ".join(text.split()), ""


def _lines(transcript: Path) -> list[tuple[int, str, str]]:
    """`(line number, prompt, text)` of every line that is no comment."""
    return [
        (number, line.partition(":")[0].strip(), line.partition(":")[2])
        for number, line in numbered_lines(transcript)
        if ":" in line and not line.startswith(";")
    ]


def _own_text(written: str, names: Collection[str]) -> str:
    """A text up to the name of another prompt, where a line break was lost before it."""
    text, *rest = _RUN_ON.split(written)
    for name, more in zip(rest[::2], rest[1::2], strict=True):
        if name not in names:
            text += f"{name}: {more}"
        elif text.strip():
            return text
        else:
            text = more
    return text


def _transcript(folder: Path, short: str) -> Path | None:
    own = sorted([*folder.glob("core-sounds-*.txt"), *folder.glob("core-sounds-*.txt.gz")])
    installed = DOCS / f"asterisk-core-sounds-{short}"
    packed = [installed / f"core-sounds-{short}.txt{suffix}" for suffix in (".gz", "")]
    return next((file for file in [*own, *packed] if file.is_file()), None)


def _unambiguous(files: dict[str, Path]) -> dict[str, Path]:
    """Files by their names without case, where only one has that name."""
    names = [name.casefold() for name in files]
    return {
        name: file
        for name, file in zip(names, files.values(), strict=True)
        if names.count(name) == 1
    }


def _missing(path: str, short: str, what: str) -> CorpusError:
    if not short:
        return CorpusError(
            f"{path} is no folder of asterisk prompts: there are no {what}.",
            fix="Put the transcript beside the prompts as core-sounds-XX.txt (name: text).",
        )
    return CorpusError(
        f"The {what} of asterisk's {short} prompts are not installed.",
        fix=f"apt-get install asterisk-core-sounds-{short}-g722 asterisk-core-sounds-{short}",
    )
