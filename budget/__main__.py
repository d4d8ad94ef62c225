"""`python -m budget` runs the daemon; with arguments it is the command `budget`."""

import sys

from daemon.cli import main

if __name__ == "__main__":
    main(sys.argv[1:] or ["serve"])
