"""Evidence → calibrated grades, words and feedback."""
