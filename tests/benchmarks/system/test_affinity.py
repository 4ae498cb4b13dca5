"""Which CPUs the server and the load generator get."""

from pathlib import Path

import pytest

from benchmarks.system import affinity


@pytest.mark.parametrize(
    ("cores", "server", "load"),
    [
        ({3: "3"}, (3,), (3,)),
        ({0: "0", 1: "1"}, (0,), (1,)),
        ({0: "0-1", 1: "0-1"}, (0,), (1,)),  # one core: better two threads of it than one
        ({0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, (0, 2), (1, 3)),
        (dict(zip(range(5), "01234", strict=True)), (0, 1), (2, 3, 4)),
    ],
)
def test_nothing_is_shared_where_there_are_enough_cpus(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cores: dict[int, str],
    server: tuple[int, ...],
    load: tuple[int, ...],
) -> None:
    for cpu, siblings in cores.items():
        (tmp_path / f"cpu{cpu}/topology").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}/topology/thread_siblings_list").write_text(siblings)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(cores))
    halves = affinity.halves(tmp_path)
    assert (halves.server, halves.generator) == (server, load)
    assert halves.separate == (server != load)
    assert halves.workers == len(server)
