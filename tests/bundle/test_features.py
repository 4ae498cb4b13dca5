import json
from typing import Any

import pytest

from bundle.errors import BundleError
from bundle.features import Feature
from bundle.manifest import Manifest
from tests.bundle.example import MANIFEST

AGE = {"name": "age", "kind": "number", "range": [17, 90], "limits": [0, None]}
JOB = {"name": "job", "kind": "category", "values": ["admin", "cook"], "accepts_unknown": True}
PAID = {"name": "paid", "kind": "boolean", "accepts_missing": True}


def manifest(*features: Any, **changes: Any) -> bytes:
    document = json.loads(MANIFEST.to_json()) | changes
    document["inputs"] = [{"name": "features", "dtype": "float32", "shape": [-1, 3]}]
    return json.dumps(document | {"features": features}).encode()


def test_a_manifest_has_the_features_of_its_input() -> None:
    read = Manifest.from_json(manifest(AGE, JOB, PAID, task="classification"))
    assert read.features == (
        Feature(name="age", kind="number", range=(17, 90), limits=(0, None)),
        Feature(name="job", kind="category", values=("admin", "cook"), accepts_unknown=True),
        Feature(name="paid", kind="boolean", accepts_missing=True),
    )
    assert Manifest.from_json(read.to_json()) == read


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([AGE, JOB], "2 features need one float32 input with as many columns"),
        ([AGE, JOB, AGE], "two features have the same name"),
        ([AGE, JOB, PAID | {"kind": "date"}], "'paid' of 'date' is no feature"),
        ([AGE, JOB, PAID | {"name": "a\nb"}], "is no feature"),
        ([AGE, JOB | {"values": []}, PAID], "a category, and nothing else, has texts"),
        ([AGE, JOB, PAID | {"values": ["a"]}], "a category, and nothing else, has texts"),
        ([AGE, JOB | {"values": ["a", "a"]}, PAID], "feature job has a value twice"),
        ([AGE, JOB | {"range": [0, 1]}, PAID], "only a number has a range and limits"),
        ([AGE | {"range": [0]}, JOB, PAID], "no two numbers in its range"),
        ([AGE | {"range": [0, None]}, JOB, PAID], "no two numbers in its range"),
        ([AGE | {"limits": [0, "1"]}, JOB, PAID], "no two numbers in its range or limits"),
        ([AGE, JOB, PAID | {"accepts_missing": 1}], "a flag that is not true or false"),
        ([AGE, JOB, 3], "missing or malformed"),
    ],
)
def test_says_what_is_wrong(features: list[Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        Manifest.from_json(manifest(*features))


def test_refuses_a_task_that_does_not_exist() -> None:
    with pytest.raises(BundleError, match="task 'ranking' is none of classification, regression"):
        Manifest.from_json(manifest(AGE, JOB, PAID, task="ranking"))
