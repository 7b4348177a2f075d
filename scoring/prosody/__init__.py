"""Prosody and fluency compared with the natives of an index, and graded."""
