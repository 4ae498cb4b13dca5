"""How many workers there are, and on which CPUs."""

import os
from pathlib import Path

from serve.supervisor import cpus
from tests.servers.live import Server
from tests.servers.processes import workers


def test_each_worker_has_a_cpu_of_its_own(server: Server) -> None:
    masks = [os.sched_getaffinity(pid) for pid in workers(server)]
    assert all(len(mask) == 1 for mask in masks)
    if len(os.sched_getaffinity(0)) > 1:
        assert masks[0] != masks[1]
    assert os.sched_getaffinity(server.process.pid) == os.sched_getaffinity(0)


def test_pinning_can_be_switched_off(repository: Path) -> None:
    with Server("--models", str(repository), "--pin", "off", "--workers", "3") as server:
        assert len(workers(server)) == 3
        for pid in workers(server):
            assert os.sched_getaffinity(pid) == os.sched_getaffinity(0)


def test_by_default_as_many_workers_as_usable_cpus(repository: Path) -> None:
    with Server("--models", str(repository)) as server:
        assert len(workers(server)) == len(cpus.placement(None, True))


def test_the_cgroup_quota_counts(tmp_path: Path) -> None:
    allowed: list[int | None] = sorted(os.sched_getaffinity(0))
    for quota, expected in (
        ("max 100000", allowed),
        ("50000 100000", [None]),
        ("150000 100000", [None]),
        ("9900000 100000", allowed),
    ):
        (tmp_path / "cpu.max").write_text(quota)
        assert cpus.placement(None, True, tmp_path) == expected
    (tmp_path / "cpu.max").unlink()
    assert cpus.placement(None, True, tmp_path) == allowed
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("100000")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    assert cpus.placement(None, True, tmp_path) == [None]
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1")
    assert cpus.placement(None, True, tmp_path) == allowed


def test_so_many_workers_share_the_cpus_that_there_are(tmp_path: Path) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    many = len(allowed) + 1
    assert cpus.placement(many, True, tmp_path) == [*allowed, allowed[0]]
    assert cpus.placement(many, False, tmp_path) == [None] * many
    (tmp_path / "cpu.max").write_text("50000 100000")
    assert cpus.placement(many, True, tmp_path) == [None] * many
