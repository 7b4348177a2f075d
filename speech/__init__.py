"""What sound and phones are: audio, inventories, pronunciations, encoders and aligners."""

import os

# Where onnxruntime is installed, its wheels tell their maker what they run, unless they are told
# not to before they are first imported, be it by us or by what we use.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
