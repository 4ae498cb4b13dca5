import pytest

from tracking.metrics import lower_is_better


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("val_accuracy", False),
        ("load_rows_per_second", False),
        ("parity_top1_agreement", False),
        ("val_loss", True),
        ("train_seconds", True),
        ("onnx_bytes", True),
        ("uint8_onnx_bytes", True),
        ("load_p99_ms", True),
        ("us_per_row_1", True),
        ("int8_static_us_per_row_1", True),
        ("uint8_int8_static_us_per_row_256", True),
        ("int8_static_accuracy_loss", True),
    ],
)
def test_the_better_direction(metric: str, expected: bool) -> None:
    assert lower_is_better(metric) == expected
