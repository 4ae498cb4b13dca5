"""Graphs before and after folding: the same answers, of fewer nodes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import parser

from export.graph.fold import fold

Array = NDArray[Any]
RANDOM = np.random.default_rng(5)
ROWS = RANDOM.normal(size=(9, 4)).astype(np.float32)


CONSTANTS: Mapping[str, Array] = {
    "s": np.array(0.5),
    "year": np.array(2000),
    "w": RANDOM.normal(size=(4, 3)),
    "v": RANDOM.normal(size=(3, 3)),
    "c4": RANDOM.uniform(1, 2, 4),
    "c3": RANDOM.uniform(1, 2, (1, 3)),
    "each": RANDOM.uniform(1, 2, (9, 1)),
}


def graph(text: str, outputs: str = "float[batch,3] y") -> Any:
    """A model that takes x, float32 of shape (batch, 4), and knows ``CONSTANTS``."""
    model = parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]>'
        f" test (float[batch,4] x) => ({outputs}) {{ {text} }}"
    )
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(values.astype(np.float32), name)
        for name, values in CONSTANTS.items()
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def answers(model: Any, rows: Array = ROWS) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return list(session.run(None, {"x": rows}))


def operators(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a = Mul(x, s) b = Add(a, c4) d = MatMul(b, w) y = Add(d, c3)", ["Gemm"]),
        ("a = MatMul(x, w) b = Mul(c3, a) d = Sub(b, c3) y = Div(d, c3)", ["Gemm"]),
        ("a = Div(x, c4) b = MatMul(a, w) d = Relu(b) y = Mul(d, s)", ["Gemm", "Relu", "Mul"]),
        ("a = MatMul(x, w) b = Add(a, c3) d = MatMul(b, v) y = Add(d, s)", ["Gemm", "Gemm"]),
        # Division by x is not affine, and a product alone is as good as a Gemm.
        ("a = MatMul(x, w) y = Div(c3, a)", ["MatMul", "Div"]),
        ("y = MatMul(x, w)", ["MatMul"]),
        ("a = MatMul(x, w) b = Add(a, c3) d = Tanh(b) y = Add(d, b)", ["Gemm", "Tanh", "Add"]),
        (
            "a = MatMul(x, w) b = Add(a, c3) d = MatMul(b, v) y = Add(d, b)",
            ["Gemm", "MatMul", "Add"],
        ),
        ("a = MatMul(x, w) y = Mul(a, each)", ["MatMul", "Mul"]),  # a value for each row
        (  # one value, stretched to four
            "m = ReduceMean<axes = [1]>(x) a = Mul(m, c4) b = MatMul(a, w) y = Add(b, c3)",
            ["ReduceMean", "Mul", "MatMul", "Add"],
        ),
    ],
)
def test_the_answers_stay(text: str, left: list[str]) -> None:
    before = graph(text)
    after = fold(before)
    onnx.checker.check_model(after, full_check=True)
    assert operators(after) == left
    np.testing.assert_allclose(answers(after)[0], answers(before)[0], rtol=1e-5, atol=1e-6)


def test_what_is_added_stays_outside_where_folding_would_lose_digits() -> None:
    """Years that are standardized: the difference of two large products would be imprecise."""
    before = graph("a = Sub(x, year) b = Div(a, s) d = MatMul(b, w) y = Add(d, c3)")
    after = fold(before)
    assert operators(after) == ["Sub", "Div", "Gemm"]
    years = (2000 + ROWS).astype(np.float32)
    (got,), (expected,) = (answers(model, years) for model in (after, before))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_an_output_on_the_way_stays() -> None:
    before = graph("a = MatMul(x, w) y = Add(a, c3)", "float[batch,3] a, float[batch,3] y")
    after = fold(before)
    assert operators(after) == ["MatMul", "Add"]
    np.testing.assert_allclose(answers(after), answers(before))


def test_constants_that_nothing_reads_any_more_are_gone() -> None:
    after = fold(graph("a = Mul(x, s) b = MatMul(a, w) y = Add(b, c3)"))
    (node,) = after.graph.node
    assert {tensor.name for tensor in after.graph.initializer} == set(node.input[1:])
