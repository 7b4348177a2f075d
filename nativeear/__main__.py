"""`python -m nativeear` is the command `nativeear`."""

from nativeear.service.cli import main

if __name__ == "__main__":
    main()
