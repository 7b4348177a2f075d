"""Running text to the words that are spoken: numbers, abbreviations, symbols, hyphens, case.

What a language writes and says lies in tables under `speech/data`; numbers are spelt out by
num2words. Each kind of writing (money, times, ordinals, ...) is a module: a regular expression, and
a function that says the match in words, or that it is something else. Whatever is read in a way
that a person may not expect, or left out, is named in a warning; ordinary punctuation is silent and
passes without one.
"""

from nativeear.speech.text.reading import normalise
from nativeear.speech.text.spoken import SpokenText, TextWord

__all__ = ["SpokenText", "TextWord", "normalise"]
