"""Folders of recordings that others have aligned, scored phone by phone."""
