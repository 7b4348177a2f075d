"""A recording session: natives read what an index lacks, each take is checked, the index grows."""
