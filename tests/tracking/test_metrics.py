import pytest

from tracking.metrics import is_better, lower_is_better, text


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
        ("val_rmse", True),
        ("test_mae", True),
        ("test_ece", True),
        ("test_r2", False),
        ("test_auc", False),
    ],
)
def test_the_better_direction(metric: str, expected: bool) -> None:
    assert lower_is_better(metric) == expected


def test_the_better_value() -> None:
    assert is_better("val_accuracy", 0.9, 0.8)
    assert not is_better("val_rmse", 0.9, 0.8)
    assert not is_better("val_rmse", 0.8, 0.8)
    assert is_better("val_rmse", 9.0, None)


def test_values_in_sentences() -> None:
    assert text("val_accuracy", 0.98765) == "98.77%"
    assert text("val_rmse", 53.1234) == "53.12"
