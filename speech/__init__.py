"""What sound and phones are: audio, inventories, pronunciations, encoders and aligners."""
