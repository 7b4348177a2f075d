"""What people touch: the command line, and the service behind it."""
