"""CEFR and IELTS bands: learnt from recordings that examiners rated, and never without them."""
