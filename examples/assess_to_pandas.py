"""Assess recordings and lay the results out in pandas: a row per phone, and means per phone.

    python examples/assess_to_pandas.py [RECORDING TEXT [RECORDING TEXT …]]

Without arguments it assesses two recordings that come with NativeEar.
"""

import sys
from pathlib import Path

import pandas as pd

import nativeear

DATA = Path(__file__).parents[1] / "service" / "data"
RECORDINGS = [
    (str(DATA / "vm-msgsaved.flac"), "Your message has been saved."),
    (
        str(DATA / "auth-incorrect.flac"),
        "Password incorrect. Please enter your password followed by the pound key.",
    ),
]


def main(arguments: list[str]) -> None:
    """Print the phones that scored worst, and how each phone did on average."""
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True)) or RECORDINGS
    assessor = nativeear.load("en-US")
    phones = pd.concat(
        [assessor.assess(audio, text).to_frame() for audio, text in pairs], ignore_index=True
    )
    print("Worst first:")
    shown = ["id", "word", "ipa", "score", "verdict", "sounds_like_ipa"]
    print(phones.sort_values("score")[shown].head(10).to_string(index=False))
    print("\nBy phone:")
    by_phone = phones.groupby("ipa")["score"].agg(["count", "mean"]).sort_values("mean")
    print(by_phone.round(1).head(10).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])
