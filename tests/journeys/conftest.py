"""One site for each test, stopped whatever happens."""

from collections.abc import Iterator

import pytest

from tests.journeys.site import Site


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A site of its own."""
    site = Site(tmp_path)
    yield site
    site.close()
