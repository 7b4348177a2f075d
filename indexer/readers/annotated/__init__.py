"""Readers of corpora whose phones annotators judged, one small file each."""
