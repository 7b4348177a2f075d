"""The release that is running."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("nativeear")
except PackageNotFoundError:  # a source folder that is not installed
    VERSION = "0"
