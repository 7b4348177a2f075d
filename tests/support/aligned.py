"""The prompts that ship, their alignment, and the same as other programs would write it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from nativeear.service.demo import DONOR, PROMPT
from nativeear.speech.textgrid import TextGrid, Tier

DATA = Path(__file__).parents[2] / "service" / "data"
SAVED = ("vm-msgsaved.flac", "Your message has been saved.")
PROMPTS = (SAVED, PROMPT, DONOR)

GRIDS = Path(__file__).parents[1] / "stored" / "aligned"
"""TextGrids of the prompts in ARPAbet, as `nativeear align` writes them."""

Write = Callable[[TextGrid, Path], None]

# As the dictionaries of MFA's english_mfa and of WebMAUS eng-US write them; where one of ours has
# several, a frequent one.
# fmt: off
MFA_IPA = {
    "AA": "ɑ", "AE": "æ", "AH": "ə", "AO": "ɔ", "AW": "aw", "AY": "aj", "B": "b", "CH": "tʃ",
    "D": "d", "DH": "ð", "EH": "ɛ", "ER": "ɚ", "EY": "ej", "F": "f", "G": "ɡ", "HH": "h",
    "IH": "ɪ", "IY": "iː", "JH": "dʒ", "K": "kʰ", "L": "ɫ", "M": "m", "N": "n", "NG": "ŋ",
    "OW": "ow", "OY": "ɔj", "P": "pʰ", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "tʰ", "TH": "θ",
    "UH": "ʊ", "UW": "ʉː", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}
SAMPA = {
    "AA": "A:", "AE": "{", "AH": "@", "AO": "O:", "AW": "aU", "AY": "aI", "B": "b", "CH": "tS",
    "D": "d", "DH": "D", "EH": "E", "ER": "3`", "EY": "eI", "F": "f", "G": "g", "HH": "h",
    "IH": "I", "IY": "i:", "JH": "dZ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "N",
    "OW": "oU", "OY": "OI", "P": "p", "R": "r\\", "S": "s", "SH": "S", "T": "t", "TH": "T",
    "UH": "U", "UW": "u:", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "Z",
}
# fmt: on


def prompts_with_text(folder: Path) -> Path:
    """A folder of the prompts with transcripts."""
    folder.mkdir(parents=True)
    for name, text in PROMPTS:
        shutil.copy(DATA / name, folder)
        (folder / name).with_suffix(".lab").write_text(text)
    return folder


def rewritten(out: Path, write: Write) -> Path:
    """The grids in another form, in a folder of their own."""
    out.mkdir()
    for grid in sorted(GRIDS.glob("*.TextGrid")):
        write(TextGrid.load(grid), out / grid.name)
    return out


def bare(label: str) -> str:
    """Without the digit of its stress."""
    return label.rstrip("012")


def _tier(grid: TextGrid, name: str) -> Tier:
    return next(tier for tier in grid.tiers if tier.name == name)


def relabelled(labels: Mapping[str, str], names: Mapping[str, str], silence: str = "") -> Write:
    """Write words and phones under other names, the phones by other labels."""

    def write(grid: TextGrid, path: Path) -> None:
        words, phones = _tier(grid, "words"), _tier(grid, "phones")
        said = tuple(
            replace(i, label=labels[bare(i.label)] if i.label else silence)
            for i in phones.intervals
        )
        tiers = (Tier(names["words"], words.intervals), Tier(names["phones"], said))
        replace(grid, tiers=tiers).save(path)

    return write


def as_gentle(grid: TextGrid, path: Path) -> None:
    """gentle's JSON: phones of a word by their durations, marked by their place in it."""
    words = []
    for word in _tier(grid, "words").intervals:
        inside = [
            p for p in _tier(grid, "phones").intervals if word.start_s <= p.middle_s < word.end_s
        ]
        if not word.label:
            continue
        ends = {0: "_B", len(inside) - 1: "_E"}
        phones = [
            {
                "duration": p.end_s - p.start_s,
                "phone": bare(p.label).lower() + ("_S" if len(inside) == 1 else ends.get(i, "_I")),
            }
            for i, p in enumerate(inside)
        ]
        words.append(
            {
                "alignedWord": word.label.lower(),
                "case": "success",
                "word": word.label,
                "start": word.start_s,
                "end": word.end_s,
                "phones": phones,
            }
        )
    words.append({"case": "not-found-in-audio", "word": "unsaid"})
    text = json.dumps({"transcript": "", "words": words})
    path.with_suffix(".json").write_text(text)


def as_mfa_json(grid: TextGrid, path: Path) -> None:
    """What `mfa align --output_format json` writes."""
    tiers = {
        name: {
            "type": "interval",
            "entries": [[i.start_s, i.end_s, i.label] for i in _tier(grid, name).intervals],
        }
        for name in ("words", "phones")
    }
    text = json.dumps({"start": grid.start_s, "end": grid.end_s, "tiers": tiers})
    path.with_suffix(".json").write_text(text)


def as_ctm(grid: TextGrid, path: Path) -> None:
    """Two files for all recordings, as Kaldi has them."""
    for name in ("words", "phones"):
        lines = [
            f"{path.stem} 1 {i.start_s:.5f} {i.end_s - i.start_s:.5f} {i.label or 'sil'}\n"
            for i in _tier(grid, name).intervals
        ]
        with (path.parent / f"{name}.ctm").open("a") as file:
            file.writelines(lines)


USUAL = {"words": "words", "phones": "phones"}
FORMS: Mapping[str, Write] = {
    "MFA, IPA": relabelled(MFA_IPA, USUAL),
    "MFA, JSON": as_mfa_json,
    "WebMAUS": relabelled(SAMPA, {"words": "ORT-MAU", "phones": "MAU"}, "<p:>"),
    "gentle": as_gentle,
    "CTM": as_ctm,
}
