"""Which versions a plan names, whatever becomes of their files."""

from serve.versions.repository_scan import FoundModel
from serve.versions.serving_plan import UNLOADED, PlannedVersion, ServingPlan
from serve.versions.version_policy import VersionPolicy


class Repository:
    """What lies in a repository of one model, and which stamps of files are bad."""

    def __init__(self, newest: int = 1) -> None:
        self.registry = VersionPolicy(newest, None)
        self.versions: dict[int, str] = {}
        self.labels: dict[str, int] = {}
        self.problem = ""
        self.tried: list[str] = []

    def settle(self) -> ServingPlan:
        """Look, try what is to be tried, and plan. A stamp that begins with "bad" is bad."""
        versions = dict(sorted(self.versions.items()))
        self.registry.update({"m": FoundModel(versions, dict(self.labels), self.problem)})
        while files := self.registry.next_unvalidated():
            self.tried.append(files.fingerprint)
            self.registry.set_verdict(
                files, files.fingerprint if files.fingerprint.startswith("bad") else ""
            )
        return self.registry.make_plan()

    def ready(self) -> list[int]:
        return self.settle().models["m"].ready


def test_the_newest_and_the_labelled_are_served() -> None:
    there = Repository(newest=2)
    there.versions = {1: "a", 2: "b", 3: "c", 10: "d"}
    there.labels = {"stable": 1}
    assert there.ready() == [1, 3, 10]
    assert there.tried == ["a", "d", "c"]
    there.labels = {}
    assert there.ready() == [3, 10]


def test_the_plan_is_the_same_object_until_something_changes() -> None:
    there = Repository()
    there.versions = {1: "a"}
    first = there.settle()
    assert first.number == 1
    assert there.settle() is first
    there.versions[2] = "b"
    assert there.settle().number == 2
    assert there.tried == ["a", "b"]


def test_a_bad_version_gives_way_and_is_tried_again_only_when_its_files_change() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "bad"}
    assert there.ready() == [1]
    assert there.registry.plan.models["m"].failed == {2: "bad"}
    there.settle()
    assert there.tried == ["bad", "a"]
    there.versions[2] = "b"
    assert there.ready() == [2]


def test_good_files_that_turn_bad_leave_what_was_loaded() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b"}
    assert there.ready() == [2]
    there.versions[2] = "bad"
    assert there.settle().models["m"].versions == {2: PlannedVersion("b", "bad")}
    there.versions[2] = "c"
    assert there.settle().models["m"].versions == {2: PlannedVersion("c")}


def test_what_a_worker_can_not_load_falls_back() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b"}
    there.settle()
    there.versions[2] = "bad"
    there.settle()
    there.registry.suspect("m", 2)
    assert there.settle().models["m"].versions == {
        1: PlannedVersion("a"),
        2: PlannedVersion("", "bad"),
    }


def test_what_a_worker_can_not_load_stays_where_a_trial_finds_nothing_wrong() -> None:
    there = Repository()
    there.versions = {1: "a"}
    before = there.settle()
    there.registry.suspect("m", 1)
    assert there.settle() is before
    assert there.tried == ["a", "a"]


def test_the_last_good_version_stays() -> None:
    there = Repository()
    there.versions = {1: "a"}
    there.settle()
    there.versions = {1: "bad"}
    there.registry.suspect("m", 1)
    assert there.settle().models["m"].versions == {1: PlannedVersion("a", "bad")}
    there.versions = {2: "bad too"}
    assert there.settle().models["m"].versions == {
        1: PlannedVersion("a"),
        2: PlannedVersion("", "bad too"),
    }
    there.versions[3] = "b"
    assert there.ready() == [3]


def test_what_no_worker_has_any_more_is_given_up() -> None:
    there = Repository()
    there.versions = {1: "a"}
    there.settle()
    there.registry.drop({("m", 1)})
    assert there.ready() == [1]  # nothing is wrong with it
    there.versions = {1: "bad"}
    there.registry.suspect("m", 1)
    assert there.ready() == [1]
    there.registry.drop({("m", 1)})
    assert there.ready() == []


def test_failures_can_be_forgotten() -> None:
    there = Repository()
    there.versions = {1: "bad"}
    there.settle()
    there.settle()
    there.registry.forget_failures()
    there.settle()
    assert there.tried == ["bad", "bad"]


def test_a_folder_that_can_not_be_read_changes_nothing() -> None:
    there = Repository()
    there.versions = {1: "a"}
    there.settle()
    there.versions, there.problem = {}, "m: Permission denied"
    planned = there.settle().models["m"]
    assert (planned.ready, planned.problem) == ([1], "m: Permission denied")


def test_nothing_is_planned_for_a_model_before_all_that_it_needs_is_tried() -> None:
    there = Repository()
    there.versions = {1: "a"}
    before = there.settle()
    there.registry.update({"m": FoundModel({1: "a", 2: "b"})})
    assert there.registry.make_plan() is before


def test_a_deleted_version_goes() -> None:
    there = Repository(newest=2)
    there.versions = {1: "a", 2: "b"}
    there.settle()
    del there.versions[2]
    assert there.ready() == [1]


def test_a_label_stays_where_it_was_until_its_version_can_be_served() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b", 3: "bad", 4: "c"}
    there.labels = {"stable": 1}
    assert there.ready() == [1, 4]
    there.labels = {"stable": 3}
    planned = there.settle().models["m"]
    assert planned.labels == {"stable": 1}
    assert planned.ready == [1, 4]
    there.versions[3] = "good"
    planned = there.settle().models["m"]
    assert (planned.labels, planned.ready) == ({"stable": 3}, [3, 4])


def test_labels_that_can_not_be_read_stay_as_they_were() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b"}
    there.labels = {"stable": 1}
    there.settle()
    there.labels, there.problem = {}, "labels.json: not JSON"
    planned = there.settle().models["m"]
    assert (planned.labels, planned.problem) == ({"stable": 1}, "labels.json: not JSON")


def test_an_unloaded_model_stays_so_until_it_is_loaded() -> None:
    there = Repository()
    there.versions = {1: "a"}
    there.settle()
    there.registry.unload("m")
    assert there.settle().models["m"].versions == {1: PlannedVersion(reason=UNLOADED)}
    there.versions[2] = "b"
    assert there.ready() == []
    there.registry.load("m")
    assert there.ready() == [2]


def test_a_load_tries_again_what_failed() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "bad"}
    there.settle()
    there.registry.load("m")
    there.settle()
    assert there.tried == ["bad", "a", "bad"]


def test_a_second_model_does_not_change_which_one_is_meant_by_default() -> None:
    registry = VersionPolicy(1, None)

    def default_of(*names: str) -> str | None:
        registry.update({name: FoundModel({1: "a"}) for name in names})
        while files := registry.next_unvalidated():
            registry.set_verdict(files, "")
        return registry.make_plan().default

    assert default_of("m") == "m"
    assert default_of("a", "m") == "m"
    assert default_of("a", "b") is None
    assert default_of("b") == "b"
