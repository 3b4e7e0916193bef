"""The short form of ``make chaos``: two scenes beside good traffic."""

from pathlib import Path

from tests.chaos import scenes


def test_nothing_acknowledged_is_lost_when_the_worker_dies_and_the_clock_goes_back(
    tmp_path: Path,
) -> None:
    """Each message is recorded once; good traffic of both kinds goes on in between."""
    with scenes.at(tmp_path / "place") as place:
        scenes.worker_killed(place)
        scenes.clock_set_back(place)
        lost = place.lost()

    assert lost == set()
    assert len(place.good.accepted) > 20
