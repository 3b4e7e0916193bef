"""One closed site for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.smart.site import Site, fill, running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """People, apps, two residents."""
    with running(tmp_path_factory.mktemp("site")) as site:
        fill(site)
        yield site
