"""Where data files are found, and how a site's folders lie over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts


@pytest.fixture
def overlay(tmp_path: Path):
    """Makes an overlay folder from names and contents."""

    def make(name: str, **files: str) -> Path:
        for path, text in files.items():
            file = tmp_path / name / path.replace("__", "/").replace("_toml", ".toml")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / name

    return make


def test_the_product_brings_its_own():
    """Without an overlay: our feeds, maps and profiles."""
    artifacts = Artifacts()

    assert artifacts.find("mappings/identity.toml")
    assert any(artifacts.walk("profiles", ".json"))
    assert artifacts.find("mappings/feeds/none.toml") is None
    assert [] == list(artifacts.walk("mappings/none"))


def test_a_file_of_the_same_name_replaces_ours(overlay):
    """And is met once, under the same name."""
    site = overlay("site", mappings__identity_toml="# theirs")
    artifacts = Artifacts(site)
    found = [path for name, path in artifacts.walk("mappings") if name == "mappings/identity.toml"]

    assert site / "mappings/identity.toml" == artifacts.find("mappings/identity.toml")
    assert [site / "mappings/identity.toml"] == found


def test_other_files_are_added_and_ours_stay(overlay):
    """A new feed beside the ones of the product, in name order."""
    ours = dict(Artifacts().walk("mappings/feeds", ".toml"))
    site = overlay("site", mappings__feeds__zz_toml="# new")
    found = list(Artifacts(site).walk("mappings/feeds", ".toml"))

    assert [*sorted(ours), "mappings/feeds/zz.toml"] == [name for name, _ in found]
    assert ours.items() <= dict(found).items()


def test_the_last_overlay_wins(overlay):
    """A hospital's folder over its region's."""
    region = overlay("region", mappings__x_toml="region", mappings__y_toml="region")
    hospital = overlay("hospital", mappings__x_toml="hospital")
    artifacts = Artifacts(region, hospital)

    assert "hospital" == artifacts.find("mappings/x.toml").read_text()
    assert "region" == artifacts.find("mappings/y.toml").read_text()


def test_an_overlay_that_is_not_there_changes_nothing(tmp_path):
    """A folder may be named before it is filled."""
    assert list(Artifacts().walk("mappings")) == list(Artifacts(tmp_path / "none").walk("mappings"))
