"""Numbers as clients may write them, and what only looks like one."""

import struct
from collections.abc import Callable
from decimal import Decimal
from random import Random

ODD = (
    *("0", "-0", "-0.0", "0.0", "0e5", "0E-5", "-0e0", "1E5", "1e+5", "1e-5", "255", "256", "-1"),
    *("127", "128", "-128", "-129", "32767", "32768", "65535", "65536", "2147483648", "4294967296"),
    *("9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615"),
    *("9223372036854774784.0", "9999999999999999999.0", "18446744073709551616"),
    *("3.4028234e38", "3.4028235677973366e38", "3.4028236e38", "1e39", "1.7976931348623157e308"),
    *("1.7976931348623159e308", "1e309", "5e-324", "2e-324", "1.17549435e-38", "1e-45", "1e-46"),
    *("1e22", "1e23", "1e27", "1e28", "9007199254740993e22", "123456789012345678e-27", "1e-28"),
    *("8.5e-22", "0.1", "0.3", "2.5", "255.0", "255.00000001", "16777217", "16777217.0"),
    *("1.00000005960464477539", "1.000000059604644775390625", "0.50000002980232238769"),
    *("0." + "0" * 30 + "1e30", "0." + "0" * 1000 + "1e1001", "0." + "0" * 1000 + "1e10010"),
    *("0." + "0" * 1000 + "1e100100", "1" + "0" * 18, "1" + "0" * 19, "1" + "0" * 30 + ".0"),
    *("1e000000000000000000001", "1.000000000000000000000", "100000000000000000000e-20"),
)
WRONG = (
    *("00", "01", "-01", "-", "+1", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1e1.5", "1.5.5"),
    *("0x10", "NaN", "Infinity", "-Infinity", "nan", "1_000", "1d", "1f", "12a", "1 2", "1e1e1"),
    *("true", "false", "null", '"1"', '""', "[1]", "[]", "{}", '{"a": 1}', "", "１", "1\0"),
)


def _integer(random: Random) -> str:
    return str(random.randrange(-(10 ** random.randrange(1, 21)), 10 ** random.randrange(1, 21)))


def _pixel(random: Random) -> str:
    return str(random.randrange(256))


def _decimal(random: Random) -> str:
    places = random.randrange(1, 21)
    sign, fraction = random.choice(("", "-")), random.randrange(10**places)
    return f"{sign}{random.randrange(300)}.{fraction:0{places}}"


def _power(random: Random) -> str:
    letter, sign = random.choice("eE"), random.choice(("", "+", "-"))
    return f"{_decimal(random)}{letter}{sign}{random.randrange(40)}"


def _of_double(random: Random) -> str:
    return repr(random.uniform(-1, 1) * 10 ** random.randrange(-30, 30))


def _of_bits(random: Random) -> str:
    (value,) = struct.unpack("d", random.randbytes(8))
    return repr(value)  # also nan and inf, which are no JSON


def _of_float(random: Random) -> str:
    (value,) = struct.unpack("f", struct.pack("f", random.uniform(-1, 1)))
    return str(Decimal(value))[: random.randrange(4, 30)].rstrip(".E-+")


def _tie(random: Random) -> str:
    """Halfway between two doubles or two floats, or beside it."""
    bits = random.choice((25, 54))
    odd = random.getrandbits(bits) | 1 | 1 << (bits - 1)
    tie = Decimal(odd) * Decimal(2) ** random.randrange(-60, 10)
    digits = random.choice((17, 18, 19, 20, 60))
    return f"{tie:.{digits}g}" if random.random() < 0.5 else str(tie)


NOTATIONS: tuple[Callable[[Random], str], ...] = (
    *(_integer, _pixel, _decimal, _power, _of_double, _of_bits, _of_float, _tie),
    lambda random: random.choice(ODD),
)
