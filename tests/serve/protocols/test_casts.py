"""No value changes on its way to the model; asked through the protocol that declares types."""

import numpy as np
import pytest

from bundle.manifest import TensorSpec
from serve.errors import BadRequest
from serve.models.spec import ModelSpec
from tests.serve.protocols.oip_requests import DTYPES, SCORES, binary, parse, tensor


@pytest.mark.parametrize(
    ("model", "datatype", "good", "bad"),
    [
        ("uint8", "INT8", [0, 127], [-1, 3]),
        ("int64", "UINT64", [0, 2**63 - 1], [2**64 - 1, 0]),
        ("float64", "INT64", [2**53, -(2**53)], [2**53 + 1, 0]),
        ("float64", "INT64", [0, -(2**63)], [2**63 - 1, 0]),
        ("float64", "UINT64", [2**63, 0], [2**64 - 1, 0]),
        ("float32", "INT32", [2**24, 0], [2**24 + 1, 0]),
        ("int64", "FP64", [2**53 - 1, -1], [2**60, 0]),
        ("int64", "FP32", [3, -1], [0.5, 0]),
    ],
)
def test_no_cast_changes_a_value(
    model: str, datatype: str, good: list[float], bad: list[float]
) -> None:
    spec = TensorSpec(name="x", dtype=model, shape=(-1,))
    model_spec = ModelSpec("m", 1, (spec,), (SCORES,))
    for values in (good, bad):
        array = np.array(values, DTYPES[datatype])
        described, data = binary("x", array)
        for inputs, rest in ((tensor("x", values, datatype), b""), (described, data)):
            if values is good:
                request = parse(inputs, rest=rest, model_spec=model_spec)
                assert [int(value) for value in request.inputs["x"]] == good
            else:
                with pytest.raises(BadRequest, match="can't be had as"):
                    parse(inputs, rest=rest, model_spec=model_spec)


def test_whole_numbers_beside_a_float_are_not_rounded() -> None:
    spec = TensorSpec(name="x", dtype="int64", shape=(-1,))
    model_spec = ModelSpec("m", 1, (spec,), (SCORES,))
    with pytest.raises(BadRequest, match="can't be had as int64"):
        parse(tensor("x", [2**53 + 1, 1.0], "INT64"), model_spec=model_spec)


@pytest.mark.parametrize("limits", [(0, 0.1), (-2.117904, 2.64)])
def test_the_bounds_of_a_range_are_within_it(limits: tuple[float, float]) -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=(-1,), range=limits)
    model_spec = ModelSpec("m", 1, (spec,), (SCORES,))
    assert parse(tensor("x", list(limits)), model_spec=model_spec).rows == 2
    with pytest.raises(BadRequest, match="row 1: expected a number from"):
        parse(tensor("x", [limits[0], limits[1] + 1e-6]), model_spec=model_spec)
