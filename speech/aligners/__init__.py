"""Phone aligners: one small file each, found through the entry points `nativeear.aligners`."""
