"""Native corpus → alignment → frames → exemplars → published index."""
