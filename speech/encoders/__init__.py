"""Speech encoders: one small file each, found through the entry points `nativeear.encoders`."""
