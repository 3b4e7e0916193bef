"""One closed site for the tests of a file."""

from tests.smart.conftest import site  # noqa: F401 - fixture
