"""Where indexes live, and which there are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.publishing import MANIFEST
from nativeear.speech.errors import IndexFormatError, InputError
from nativeear.speech.languages import primary_subtag
from nativeear.speech.user_data import data_folder

_PACKAGE = Path(__file__).resolve().parent
DEFAULT_INDEX = "en-US"
ENVIRONMENT = "NATIVEEAR_INDEXES"


@dataclass(frozen=True)
class IndexSummary:
    """One line of `nativeear index list`. A damaged index has a `problem` and no figures.

    `silences` are among the `exemplars`.
    """

    name: str
    path: Path
    shipped: bool
    language: str = ""
    encoder: str = ""
    exemplars: int = 0
    silences: int = 0
    speakers: int = 0
    minutes: float = 0.0
    problem: str = ""


def home() -> Path:
    """Folder of a person's own indexes.

    `$NATIVEEAR_INDEXES` if set; in a source checkout the room `indexes/` itself; otherwise the
    user's data folder.
    """
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser()
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        return _PACKAGE
    return data_folder() / "indexes"


def find_index(name_or_path: str | Path) -> Path:
    """Folder of an index, given by name or by path.

    Raises
    ------
    InputError
        If there is no such index; the known names are listed.
    """
    given = str(name_or_path)
    if os.sep not in given and given not in {"", ".", ".."}:
        for root in (home(), _PACKAGE):
            if os.path.isfile(root / given / MANIFEST):  # noqa: PTH113 - false of a name too long
                return root / given
    path = Path(given).expanduser()
    if given and os.path.isdir(path):  # noqa: PTH112
        return path
    known = ", ".join(summary.name for summary in list_indexes()) or "none"
    raise InputError(
        f"There is no index called {given!r}.",
        cause=f"Known indexes: {known}.",
        fix="Name one of these, give a folder, or build one with `nativeear index build`.",
    )


def is_shipped(folder: Path) -> bool:
    """Whether an index came with NativeEar."""
    return folder.resolve() == (_PACKAGE / DEFAULT_INDEX).resolve()


def list_indexes() -> tuple[IndexSummary, ...]:
    """Every index of the person's folder and of the package, by name; damaged ones too."""
    found: dict[str, IndexSummary] = {}
    for root in (home(), _PACKAGE):
        if not root.is_dir():
            continue
        for folder in sorted(root.iterdir()):
            hidden = folder.name.startswith(".")  # not published, or no longer
            if hidden or folder.name in found or not (folder / MANIFEST).is_file():
                continue
            shipped = is_shipped(folder)
            try:
                found[folder.name] = _summary(folder, read_manifest(folder), shipped)
            except IndexFormatError as error:
                found[folder.name] = IndexSummary(
                    folder.name, folder, shipped, problem=f"{error.message} {error.cause}".strip()
                )
    return tuple(found[name] for name in sorted(found))


def accents_of(language: str) -> tuple[IndexSummary, ...]:
    """Every index whose language has the same primary subtag: `en` finds `en-US` and `en-GB`.

    Raises
    ------
    InputError
        If there is none; the known languages are listed.
    """
    known = [summary for summary in list_indexes() if not summary.problem]
    found = tuple(s for s in known if primary_subtag(s.language) == primary_subtag(language))
    if not found:
        languages = sorted({summary.language for summary in known})
        raise InputError(
            f"There is no index of the language {language}.",
            cause=f"Known languages: {', '.join(languages) or 'none'}.",
            fix="Build one with `nativeear index build`, or name another language.",
        )
    return found


def _summary(folder: Path, manifest: Manifest, shipped: bool) -> IndexSummary:
    return IndexSummary(
        name=folder.name,
        path=folder,
        shipped=shipped,
        language=manifest.language,
        encoder=manifest.encoder.name,
        exemplars=manifest.counts.exemplars,
        silences=manifest.counts.silences,
        speakers=manifest.counts.speakers,
        minutes=manifest.counts.audio_s / 60,
    )
