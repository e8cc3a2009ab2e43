"""`python -m runtime` is `vfc`."""

from runtime.cli import main

if __name__ == "__main__":
    main()
