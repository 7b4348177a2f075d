"""Evaluation: what annotators heard against what the system says, and how well the two agree."""
