"""The index format: create, open, verify and list folders of native exemplars."""

import os

# Arrow's own allocator keeps what tables took while they were read: 25 MB of a service.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
