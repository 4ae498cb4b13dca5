"""Which versions are served, whatever happens to their files."""

from serve.versions.repository_scan import FoundModel
from serve.versions.serving_plan import UNLOADED, PlannedVersion, ServingPlan
from serve.versions.version_policy import VersionPolicy


class Repository:
    """A repository with one model. A version whose fingerprint begins with "bad" is not valid."""

    def __init__(self, latest: int = 1) -> None:
        self.policy = VersionPolicy(latest, None)
        self.versions: dict[int, str] = {}
        self.labels: dict[str, int] = {}
        self.problem = ""
        self.validated: list[str] = []

    def settle(self) -> ServingPlan:
        """Scan, validate what must be validated, and make the plan."""
        versions = dict(sorted(self.versions.items()))
        self.policy.update({"m": FoundModel(versions, dict(self.labels), problem=self.problem)})
        while version_id := self.policy.next_unvalidated():
            self.validated.append(version_id.fingerprint)
            self.policy.set_verdict(
                version_id,
                version_id.fingerprint if version_id.fingerprint.startswith("bad") else "",
            )
        return self.policy.make_plan()

    def ready(self) -> list[int]:
        return self.settle().models["m"].ready


def test_the_latest_and_the_labelled_are_served() -> None:
    there = Repository(latest=2)
    there.versions = {1: "a", 2: "b", 3: "c", 10: "d"}
    there.labels = {"stable": 1}
    assert there.ready() == [1, 3, 10]
    assert there.validated == ["a", "d", "c"]
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
    assert there.validated == ["a", "b"]


def test_a_bad_version_gives_way_and_is_validated_again_only_when_its_files_change() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "bad"}
    assert there.ready() == [1]
    assert there.policy.plan.models["m"].failed == {2: "bad"}
    there.settle()
    assert there.validated == ["bad", "a"]
    there.versions[2] = "b"
    assert there.ready() == [2]


def test_the_loaded_version_stays_if_its_files_become_invalid() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b"}
    assert there.ready() == [2]
    there.versions[2] = "bad"
    assert there.settle().models["m"].versions == {2: PlannedVersion("b", "bad")}
    there.versions[2] = "c"
    assert there.settle().models["m"].versions == {2: PlannedVersion("c")}


def test_a_version_that_a_worker_can_not_load_is_replaced_by_the_one_before() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b"}
    there.settle()
    there.versions[2] = "bad"
    there.settle()
    there.policy.mark_failed("m", 2, "checksum mismatch")
    assert there.settle().models["m"].versions == {
        1: PlannedVersion("a"),
        2: PlannedVersion("", "bad"),
    }


def test_a_failed_version_with_unchanged_files_is_not_served() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "b"}
    there.settle()
    there.policy.mark_failed("m", 2, "no memory")
    assert there.settle().models["m"].versions == {
        1: PlannedVersion("a"),
        2: PlannedVersion("", "no memory"),
    }
    there.policy.forget_failures()
    assert there.settle().models["m"].versions == {2: PlannedVersion("b")}


def test_the_last_good_version_stays() -> None:
    there = Repository()
    there.versions = {1: "a"}
    there.settle()
    there.versions = {1: "bad"}
    there.policy.mark_failed("m", 1, "checksum mismatch")
    assert there.settle().models["m"].versions == {1: PlannedVersion("a", "bad")}
    there.versions = {2: "bad too"}
    assert there.settle().models["m"].versions == {
        1: PlannedVersion("a"),
        2: PlannedVersion("", "bad too"),
    }
    there.versions[3] = "b"
    assert there.ready() == [3]


def test_failures_can_be_forgotten() -> None:
    there = Repository()
    there.versions = {1: "bad"}
    there.settle()
    there.settle()
    there.policy.forget_failures()
    there.settle()
    assert there.validated == ["bad", "bad"]


def test_a_folder_that_can_not_be_read_changes_nothing() -> None:
    there = Repository()
    there.versions = {1: "a"}
    there.settle()
    there.versions, there.problem = {}, "m: Permission denied"
    planned = there.settle().models["m"]
    assert (planned.ready, planned.problem) == ([1], "m: Permission denied")


def test_nothing_is_planned_for_a_model_before_all_its_versions_are_validated() -> None:
    there = Repository()
    there.versions = {1: "a"}
    before = there.settle()
    there.policy.update({"m": FoundModel({1: "a", 2: "b"})})
    assert there.policy.make_plan() is before


def test_a_deleted_version_goes() -> None:
    there = Repository(latest=2)
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
    there.policy.unload("m")
    assert there.settle().models["m"].versions == {1: PlannedVersion(reason=UNLOADED)}
    there.versions[2] = "b"
    assert there.ready() == []
    there.policy.load("m")
    assert there.ready() == [2]


def test_a_load_validates_failed_versions_again() -> None:
    there = Repository()
    there.versions = {1: "a", 2: "bad"}
    there.settle()
    there.policy.load("m")
    there.settle()
    assert there.validated == ["bad", "a", "bad"]


def test_a_second_model_does_not_change_the_default_model() -> None:
    policy = VersionPolicy(1, None)

    def default_of(*names: str) -> str | None:
        policy.update({name: FoundModel({1: "a"}) for name in names})
        while version_id := policy.next_unvalidated():
            policy.set_verdict(version_id, "")
        return policy.make_plan().default

    assert default_of("m") == "m"
    assert default_of("a", "m") == "m"
    assert default_of("a", "b") is None
    assert default_of("b") == "b"
