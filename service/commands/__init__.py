"""The commands of `nativeear`. Importing them loads nothing heavy; running them does."""
