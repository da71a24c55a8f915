"""Run the command line: `python -m mtquant`."""

import sys

from mtquant.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
