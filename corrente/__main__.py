"""Run the command line: `python -m corrente`."""

import sys

from corrente.cli import main

if __name__ == "__main__":
    sys.exit(main())
