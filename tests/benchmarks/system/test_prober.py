"""What another client sees."""

from benchmarks.system.prober import Prober
from tests.conftest import free_port


def test_a_prober_records_every_status(host: str) -> None:
    with Prober(f"{host}/nowhere") as prober:
        pass
    assert {status for status, _ in prober.answers} == {404}
    assert min(taken for _, taken in prober.answers) > 0


def test_a_prober_continues_where_nobody_answers() -> None:
    with Prober(f"http://127.0.0.1:{free_port()}/") as prober:
        while len(prober.answers) < 3:
            pass
    assert {status for status, _ in prober.answers} == {0}
