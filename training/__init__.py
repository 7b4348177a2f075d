"""The recipe that makes the shipped encoder: data, alignments, training, packaging, evaluation."""
