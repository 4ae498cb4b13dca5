"""Every decimal that the kernel takes becomes the double nearest to it, as Python's float does."""

import ctypes
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.protocols.number_kernel import extract, library
from tests.number_kernel.compiled import needs_cc

COUNT = 400
NUMBERS = 500


def decimals(random: Random) -> list[str]:
    """Of 1 to 19 digits, times 10 to the power of -27 to 27, in every notation."""
    return [decimal(random) for _ in range(NUMBERS)]


def decimal(random: Random) -> str:
    count = random.randrange(1, 20)
    digits = str(random.randrange(10 ** (count - 1), min(10**count, 2**63)))
    exponent = random.randrange(-27, 28)
    sign = random.choice(("", "-"))
    if random.random() < 0.3 and -27 <= -exponent - len(digits) < 0:
        return f"{sign}0.{digits}e{exponent + len(digits)}"
    if random.random() < 0.5 and len(digits) > 1:
        return f"{sign}{digits[0]}.{digits[1:]}E{exponent + len(digits) - 1}"
    if exponent < 0 and random.random() < 0.8:
        digits = digits.rjust(1 - exponent, "0")
        return f"{sign}{digits[:exponent]}.{digits[exponent:]}"
    return f"{sign}{digits}e{exponent:+}"


def taken(texts: list[str], dtype: str) -> NDArray[np.floating] | None:
    spec = TensorSpec(name="x", dtype=dtype, shape=(-1, len(texts)))
    body = f'{{"x": [[{",".join(texts)}]]}}'.encode()
    extracted = extract.extract(body, spec, 1, flat=False)
    return extracted.numbers if extracted else None


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_is_the_nearest(dtype: str) -> None:
    check(dtype)


def check(dtype: str) -> None:
    random = Random(18)
    for _ in range(COUNT):
        texts = [text for text in decimals(random) if abs(float(text)) < float(np.finfo(dtype).max)]
        # By way of a double, as without the kernel: a float is rounded twice.
        expected = np.array([float(text) for text in texts]).astype(dtype)
        found = taken(texts, dtype)
        assert found is not None, "the kernel is to take all of these"
        assert found.tobytes() == expected.tobytes()
    for leading in range(25):
        texts = ["0." + "0" * leading + "98765432109876543210", "1", "2", "3"]
        assert taken(texts, dtype) is None, "20 digits may be more than 64 bits"


@pytest.mark.parametrize(
    "text",
    ["0." + "0" * 1000 + "1e10010", "1e1000", "1e-1000", "1e28", "1e-28", "12345678901234567890.0"],
)
def test_what_takes_more_is_left_to_others(text: str) -> None:
    assert taken([text, "1", "2", "3"], "float64") is None
    assert taken(["1", "2", "3", "4"], "float64") is not None


@needs_cc
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("top |= (unsigned __int128)top * five != dividend;", ""),
        ("top |= (uint64_t)product != 0;", ""),
        ("digits > (uint64_t)1 << 53 ||", "digits > (uint64_t)1 << 55 ||"),
        ("exponent += down ? -power : power;", "exponent += power;"),
        ("count -= *first == '0';", "count--;"),
        ("#define MOST_DIGITS 19", "#define MOST_DIGITS 20"),
        ("bits |= (uint64_t)decimal->negative << 63;", ""),
    ],
)
def test_a_kernel_that_rounds_otherwise_is_found(
    right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = 0
    for source in library.SOURCES:
        text = source.read_text()
        changed += text.count(right)
        (tmp_path / source.name).write_text(text.replace(right, wrong))
    assert changed == 1
    made = tmp_path / "kernel.so"
    command = ["cc", "-shared", "-fPIC", "-o", made, tmp_path / library.SOURCES[0].name]
    subprocess.run(command, check=True)
    broken = ctypes.PyDLL(str(made)).extract_numbers
    right_one = extract.compiled()
    broken.restype, broken.argtypes = right_one.restype, right_one.argtypes
    monkeypatch.setattr(extract, "compiled", lambda: broken)
    with pytest.raises(AssertionError):
        check("float64")
