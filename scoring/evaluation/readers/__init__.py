"""Annotated corpora: one small file each."""
