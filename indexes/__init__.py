"""The index format: create, open, verify and list folders of native exemplars."""
