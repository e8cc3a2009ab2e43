"""`python -m runtime` is `vfc`."""

from runtime.entry import main

if __name__ == "__main__":
    main()
