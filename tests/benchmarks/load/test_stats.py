"""What load generators keep: through JSON and back, and of several together."""

import json

from benchmarks.load.stats import Busy, Record, Tally


def record(latency: float, process: str, *, right: bool = True) -> Record:
    kept = Tally(4)
    for slice_ in (0, 0, 3):
        kept.add(latency, right=right)
        kept.slices[slice_] += right
    made = Record({"predict x 4": kept}, processes={process: Busy(10.0, 12.0, 1.0)})
    made.errors["503"] += not right
    return made


def test_two_generators_are_one() -> None:
    both = Record()
    for one in (record(0.001, "a"), record(0.200, "b"), record(0.001, "c", right=False)):
        both.merge(Record.from_json(json.loads(json.dumps(one.to_json()))))
    (kept,) = both.tallies.values()
    assert (kept.rows, kept.requests, kept.failures) == (4, 6, 3)
    assert +kept.slices == {0: 4, 3: 2}
    assert kept.answered == 6
    assert kept.latencies.get_total_count() == 9
    assert kept.latencies.get_value_at_percentile(50) == 1000
    assert abs(kept.latencies.get_max_value() - 200_000) < 200
    assert both.errors == {"503": 1}
    assert {name: busy.share for name, busy in both.processes.items()} == dict.fromkeys("abc", 0.5)
    assert both.total(lambda tally: tally.requests * tally.rows) == 24


def test_a_later_word_of_a_process_replaces_the_earlier() -> None:
    both = record(0.001, "a")
    both.merge(Record(processes={"a": Busy(10.0, 14.0, 3.0)}))
    assert both.processes == {"a": Busy(10.0, 14.0, 3.0)}


def test_what_takes_longer_than_can_be_kept_is_kept_as_the_longest() -> None:
    kept = Tally(1)
    kept.add(1e6, right=True)
    assert kept.latencies.get_total_count() == 1
    assert kept.latencies.get_max_value() >= 119_000_000
