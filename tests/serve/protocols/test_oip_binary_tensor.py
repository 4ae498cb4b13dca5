"""Bytes behind a document that was read before are taken as the first were."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from serve.errors import BadRequest, TooLarge
from serve.protocols import oip
from serve.protocols.identity_cache import IdentityCache
from tests.serve.protocols.oip_requests import AGE, DTYPES, IMAGE, ONE, TWO, binary, parse, tensor


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> IdentityCache[Any]:
    made: IdentityCache[Any] = IdentityCache()
    monkeypatch.setattr(oip, "_remembered", made)
    return made


@pytest.mark.parametrize("datatype", sorted(DTYPES.keys() - {"BOOL"}))
def test_the_same_document_with_other_bytes(datatype: str, remembered: IdentityCache[Any]) -> None:
    wishes: dict[str, Any] = {"id": "a", "outputs": [{"name": "scores"}]}
    for values in ([[0, 1, 2, 3]], [[9, 8, 7, 6]]):
        described, data = binary("image", np.array(values, DTYPES[datatype]))
        request = parse(described, rest=data, **wishes)
        assert request.inputs["image"].dtype == np.float32
        np.testing.assert_array_equal(request.inputs["image"], np.array(values, np.float32))
        assert (request.rows, request.id, request.wanted) == (1, "a", (("scores", False),))
        assert len(remembered) == 1


def test_other_bytes_are_checked_like_the_first() -> None:
    described, data = binary("image", np.zeros((1, 4), np.float32))
    parse(described, rest=data)
    with pytest.raises(BadRequest, match="row 0, value 2: expected a number from 0 to 255"):
        parse(described, rest=np.array([0, 0, 256, 0], "<f4").tobytes())
    with pytest.raises(BadRequest, match="4 bytes too many follow the JSON"):
        parse(described, rest=data + b"\0" * 4)
    with pytest.raises(BadRequest, match="expected 16 bytes after the JSON, got 12"):
        parse(described, rest=data[:12])
    with pytest.raises(TooLarge):
        parse(described, rest=data, max_rows=0)


def test_several_inputs(remembered: IdentityCache[Any]) -> None:
    for number in (1, 2):
        age, ages = binary("age", np.array([number, -number]))
        image, pixels = binary("image", np.full((2, 4), number, np.uint8))
        request = parse(age, image, rest=ages + pixels, model_spec=TWO)
        np.testing.assert_array_equal(request.inputs["age"], [number, -number])
        np.testing.assert_array_equal(request.inputs["image"], np.full((2, 4), number))
    assert len(remembered) == 1


def test_what_is_remembered_is_of_one_model(remembered: IdentityCache[Any]) -> None:
    described, data = binary("image", np.full((1, 4), 200, np.float32))
    parse(described, rest=data)
    narrow = dataclasses.replace(ONE, inputs=(dataclasses.replace(IMAGE, range=(0, 1)),))
    with pytest.raises(BadRequest, match="from 0 to 1"):
        parse(described, rest=data, model_spec=narrow)
    assert len(remembered) == 1


def test_a_document_with_numbers_in_it_is_read_each_time(
    remembered: IdentityCache[Any],
) -> None:
    age, ages = binary("age", np.array([7]))
    parse(tensor("image", [[1, 2, 3, 4]]), age, rest=ages, model_spec=TWO)
    assert len(remembered) == 0


def test_what_is_remembered_is_bounded(remembered: IdentityCache[Any]) -> None:
    described, data = binary("image", np.zeros((1, 4), np.float32))
    for number in range(300):
        parse(described, rest=data, id=str(number))
    assert len(remembered) <= 128
    before = len(remembered)
    parse(described, rest=data, id="x" * 3000)
    assert len(remembered) == before


def test_a_byte_of_a_truth_value_is_checked_each_time() -> None:
    model_spec = dataclasses.replace(ONE, inputs=(dataclasses.replace(AGE, dtype="bool"),))
    described, data = binary("age", np.array([True, False]))
    parse(described, rest=data, model_spec=model_spec)
    with pytest.raises(BadRequest, match="neither 0 nor 1"):
        parse(described, rest=b"\1\2", model_spec=model_spec)


@pytest.mark.parametrize("bits", [0x7F800001, 0x7FC00000])
def test_a_signalling_nan_is_rejected_like_any_other(bits: int) -> None:
    described, data = binary("image", np.array([[bits, 0, 0, 0]], np.uint32).view(np.float32))
    with pytest.raises(BadRequest, match=r"row 0, value 0: expected a number .* got nan"):
        parse(described, rest=data)
