"""`python -m portal` is the `portal` command."""

import gc

# Importing makes objects by the hundred thousand and drops none: a third of it was the collector looking for some.
gc.disable()

from portal.cli import main  # noqa: E402 only so is it imported without the collector

if __name__ == "__main__":
    main()
