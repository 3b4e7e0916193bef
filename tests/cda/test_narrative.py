"""Section text as XHTML that every tool accepts."""

import pytest

from fhir_bridge import xml
from fhir_bridge.cda.narrative import render_narrative
from fhir_bridge.validation.structure.narrative import check_narrative


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<paragraph><caption>A</caption>b</paragraph>", "<p><b>A</b>b</p>"),
        ("<list><caption>A</caption><item>b</item></list>", "<ul><li><b>A</b></li><li>b</li></ul>"),
        (
            "<table><caption>A</caption><tr><td>b</td></tr></table>",
            "<table><caption>A</caption><tr><td>b</td></tr></table>",
        ),
        ("<paragraph>a<list><item>b</item></list></paragraph>", "<div>a<ul><li>b</li></ul></div>"),
        ("<content>a<content>b</content></content>", "<span>a<span>b</span></span>"),
    ],
)
def test_captions_and_blocks_stand_where_xhtml_allows_them(text, expected):
    """A caption in a table only, no list or table inside a paragraph."""
    found = render_narrative(xml.parse(f"<text>{text}</text>".encode()))

    assert f'<div xmlns="http://www.w3.org/1999/xhtml">{expected}</div>' == found
    assert check_narrative(found) is None
