"""Speech recognisers, for speech of which no text is known."""
