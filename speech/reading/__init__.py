"""What was read of a text: words said, skipped, repeated, begun again, and speech beside them."""
