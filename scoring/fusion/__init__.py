"""Evidence of many kinds → one grade per phone."""
