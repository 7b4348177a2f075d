"""What an index cannot hear, said offline: coverage, expected errors, and what to record next."""
