"""How long each partial result of a long stream takes, and what the stream holds.

    python -m benchmarks.streams [--minutes M]

The packaged prompts, one after the other, as somebody reads them to `WS /v1/stream` at 48 kHz. Each
second of it the words that are finished are looked for; the table has the time of one such look,
with the encoder and the index that ship, on one thread, by how much had been heard. A look that
takes longer than a second falls behind speech.
"""
