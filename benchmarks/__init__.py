"""Measurements, each one command that prints a table with its peers in the same run."""
