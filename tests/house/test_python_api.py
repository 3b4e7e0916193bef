"""docs/python-api.md works: each example is run as it is on the page."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python-api.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page_runs(example):
    """It asserts what it says."""
    assert "assert " in example
    exec(compile(example, str(PAGE), "exec"), {"__name__": "example"})
