"""Sites of their own for the operations' tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sites import Site, site


@pytest.fixture
def new_site(database: str, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """A maker of sites on the database that is being tested on: empty ones, or copies of another."""
    with ExitStack() as stack:
        count = iter(range(100))

        def make_site(like: Site | None = None, **settings: str) -> Site:
            return stack.enter_context(site(database, tmp_path / f"site{next(count)}", like=like, **settings))

        yield make_site
