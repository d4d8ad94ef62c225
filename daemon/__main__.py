"""`python -P -m daemon` is the command `budget`."""

from daemon.cli import main

if __name__ == "__main__":
    main()
