"""Send a recording to a running service (`nativeear serve`) and print what it heard.

python examples/call_the_service.py URL RECORDING TEXT
"""

import sys

from nativeear import Client


def main(url: str, recording: str, text: str) -> None:
    """Print the score of every word, and the remarks."""
    with Client(url) as client:
        result = client.assess(recording, text=text)
    for word in result.words:
        score = "–" if word.score is None else f"{word.score:.0f}"
        print(f"{score:>4}  {word.word}  {' '.join(phone.ipa for phone in word.phones)}")
    for remark in result.remarks:
        print(remark.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
