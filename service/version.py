"""The release that is running; None in a source folder that is not installed."""

from importlib.metadata import PackageNotFoundError, version

RELEASE: str | None
try:
    RELEASE = version("nativeear")
except PackageNotFoundError:
    RELEASE = None
