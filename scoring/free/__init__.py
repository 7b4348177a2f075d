"""Speech of which no text is known: by a recogniser's words, or by the phones that are heard."""
