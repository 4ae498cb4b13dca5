from pathlib import Path

from tests.reliability.stops import stop


def test_no_request_is_lost_when_the_server_is_stopped(swapped_repository: Path) -> None:
    stops = stop(swapped_repository, times=5, seed=1)
    assert (stops.wrong, stops.lost) == ([], [])
    assert stops.statuses == {0}
    assert stops.sent > 100
