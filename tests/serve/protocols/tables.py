"""A model of a table, and rows for it."""

from dataclasses import replace

import numpy as np

from bundle.features import Feature
from bundle.manifest import Manifest, TensorSpec
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec

AGE = Feature(name="age", kind="number", range=(17, 90), limits=(0, 120))
JOB = Feature(name="job", kind="category", values=("admin", "nurse, [a]", "Öl"))
PAID = Feature(name="paid", kind="boolean", accepts_missing=True)
CITY = Feature(
    name="home city",
    kind="category",
    values=("Bonn", "Ulm"),
    accepts_missing=True,
    accepts_unknown=True,
)
HEIGHT = Feature(name="height", kind="number", range=(1.5, 2), accepts_missing=True)
FEATURES = (AGE, JOB, PAID, CITY, HEIGHT)
NAN = float("nan")

PROBABILITIES = TensorSpec(name="probabilities", dtype="float32", shape=(-1, 2))
VALUE = TensorSpec(name="value", dtype="float32", shape=(-1, 1))


def model_spec(
    *features: Feature, output: TensorSpec = PROBABILITIES, task: str = "classification"
) -> ModelSpec:
    features = features or FEATURES
    spec = TableSpec(name="features", dtype="float32", shape=(-1, len(features)), features=features)
    labels = ("no", "yes") if output is PROBABILITIES else ()
    manifest = Manifest(
        name="people",
        version=3,
        created="",
        files={},
        inputs=(spec,),
        outputs=(output,),
        labels=labels,
        task=task,
        features=features,
    )
    return ModelSpec("people", 3, (spec,), (output,), labels, manifest)


TABLE = model_spec()
NUMBERS = model_spec(
    *(Feature(name=name, kind="number") for name in ("a", "b", "c")),
    Feature(name="d", kind="number", limits=(0, None)),
)
MAYBE_NUMBERS = model_spec(*(replace(HEIGHT, name=name) for name in "abcd"))

NAMES = ["age", "job", "paid", "home city", "height"]
ROWS = [
    [39, "admin", True, "Ulm", 1.75],
    [0.5, "nurse, [a]", None, "Wien", None],
    [120, "Öl", False, None, -1e30],
]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
BATCH = np.array([[39, 0, 1, 1, 1.75], [0.5, 1, NAN, -1, NAN], [120, 2, 0, NAN, -1e30]], np.float32)
