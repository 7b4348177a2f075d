"""Write the features of IPA segments from PanPhon: `python -m training.segments [--out FILE]`.

`speech/data/segments.csv` is PanPhon's table with its 24 signs in one column, in the order of
`features.csv`. PanPhon itself brings pandas, which nothing else here needs.
"""

from __future__ import annotations

import argparse
import csv
import unicodedata
from importlib.resources import files
from pathlib import Path

OUT = Path(__file__).parents[1] / "speech" / "data" / "segments.csv"


def segments() -> list[tuple[str, str]]:
    """PanPhon's segments in NFD and their signs, such as `-` for the first of 24 features."""
    table = files("panphon") / "data" / "ipa_all.csv"
    with table.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [(unicodedata.normalize("NFD", ipa), "".join(signs)) for ipa, *signs in rows]


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT)
    with parser.parse_args().out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ipa", "features"])
        writer.writerows(segments())


if __name__ == "__main__":
    main()
