"""Links between pages lead somewhere, and every page is reached by one."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@cache
def _text(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The names that headings get where Markdown is shown."""
    headings = (heading.strip().lower() for heading in _HEADING.findall(_text(page)))
    return frozenset(re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings)


def _links(page: Path) -> list[tuple[Path, str]]:
    """(file or folder, anchor) of each link that stays in the repository."""
    found = []
    for link in _LINK.findall(_text(page)):
        place, _, anchor = link.partition("#")
        if not re.match(r"[a-z]+:", link):
            found.append(((page.parent / place).resolve() if place else page, anchor))
    return found


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """To a file, a folder, or a heading of a page."""
    broken = [
        f"{target.relative_to(ROOT)}#{anchor}"
        for target, anchor in _links(page)
        if not target.exists() or (anchor and anchor not in _anchors(target))
    ]

    assert [] == broken


def test_every_page_is_reached_from_the_first_one():
    """A newcomer starts at README.md and can come to everything by links alone."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        page = page / "README.md" if page.is_dir() else page
        if page.suffix == ".md" and page.is_file() and page not in reached:
            reached.add(page)
            waiting += [target for target, _ in _links(page)]

    assert [] == [str(page.relative_to(ROOT)) for page in _pages() if page not in reached]
