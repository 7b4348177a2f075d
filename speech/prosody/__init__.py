"""Melody, rhythm and flow of speech as numbers; what compares them with natives is elsewhere."""
