"""Corpus readers: one small file each, found through the entry points `nativeear.corpora`."""
