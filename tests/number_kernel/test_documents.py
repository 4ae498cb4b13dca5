"""The kernel gives what simdjson gives, bit by bit, and every error is told by the same words.

The documents are the same each time; ``python -m tests.number_kernel`` makes others.
"""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.number_kernel import comparison, documents

SHARES, SHARE = 500, 200


@settings(max_examples=SHARES, deadline=None, database=None, derandomize=True)
@given(st.integers(0, 2**64))
def test_a_hundred_thousand_documents(seed: int) -> None:
    taken = 0
    for number in range(SHARE):
        taken += comparison.check(documents.write(Random(f"{seed} {number}")))
    assert taken > SHARE / 20, "hardly a document was for the kernel: nothing was compared"


@settings(max_examples=SHARES, deadline=None, database=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_documents_that_hypothesis_makes_simpler_where_they_fail(random: Random) -> None:
    comparison.check(documents.write(random))
