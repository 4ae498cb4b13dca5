"""What load generators count: through JSON and back, and of several processes together."""

import json

from benchmarks.load.stats import LoadStats, ProcessUsage, RequestStats


def stats(latency: float, process: str, *, correct: bool = True) -> LoadStats:
    one = RequestStats(4)
    for _ in range(3):
        one.add(latency, correct=correct)
        one.answered += correct
    made = LoadStats({"predict x 4": one}, processes={process: ProcessUsage(10.0, 12.0, 1.0)})
    made.errors["503"] += not correct
    return made


def test_processes_are_merged() -> None:
    merged = LoadStats()
    for one in (stats(0.001, "a"), stats(0.200, "b"), stats(0.001, "c", correct=False)):
        merged.merge(LoadStats.from_json(json.loads(json.dumps(one.to_json()))))
    (kept,) = merged.by_request.values()
    assert (kept.rows, kept.requests, kept.failures) == (4, 6, 3)
    assert kept.answered == 6
    assert merged.latencies.get_total_count() == 9
    assert merged.latencies.get_value_at_percentile(50) == 1000
    assert abs(merged.latencies.get_max_value() - 200_000) < 200
    assert merged.errors == {"503": 1}
    assert {name: one.share for name, one in merged.processes.items()} == dict.fromkeys("abc", 0.5)
    assert merged.answered == 6


def test_later_figures_of_a_process_replace_earlier_ones() -> None:
    merged = stats(0.001, "a")
    merged.merge(LoadStats(processes={"a": ProcessUsage(10.0, 14.0, 3.0)}))
    assert merged.processes == {"a": ProcessUsage(10.0, 14.0, 3.0)}


def test_the_window_is_that_of_all_processes() -> None:
    merged = stats(0.001, "a")
    merged.processes["b"] = ProcessUsage(9.0, 11.0, 1.5)
    assert merged.window == (9.0, 12.0)
    assert merged.generator_share == 0.75
    assert LoadStats().window is None
    assert stats(0.001, "a", correct=False).window is None


def test_a_latency_beyond_the_histogram_counts_as_its_longest() -> None:
    one = RequestStats(1)
    one.add(1e6, correct=True)
    assert one.latencies.get_total_count() == 1
    assert one.latencies.get_max_value() >= 119_000_000
