"""One assessment as a single self-contained HTML file."""
