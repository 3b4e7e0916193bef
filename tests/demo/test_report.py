"""What the demo tells people at its end."""

import io

import pytest
from rich.console import Console

from fhir_bridge.demo.report import print_restart, words


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_demo_that_has_ended_says_how_its_record_is_served(language):
    """Addresses of a service that has ended lead nowhere, so the command stands before them."""
    text = io.StringIO()

    print_restart("--data var/demo --port 8080", Console(file=text), words(language))

    assert "fhir-bridge serve --data var/demo --port 8080" in text.getvalue()
