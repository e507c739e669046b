"""Python's collector of cycles, set for a server: what it was started with stays, and a page makes no cycles."""

import gc

# By default it looks after every 700 new objects, several times a page, and finds next to nothing.
YOUNG = (10_000, 20, 20)


def settle() -> None:
    """What stands now is never looked at again, and a fork shares it; from now on look more seldom."""
    gc.freeze()
    gc.set_threshold(*YOUNG)
    gc.enable()
