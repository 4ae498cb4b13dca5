"""Generated documents: each is refused, or read as the plainest parser reads it."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from serve.errors import ServeError
from serve.inference import content_encoding
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from tests.reliability import documents, reference, table_documents
from tests.reliability.documents import MAX_ROWS, SIGNATURES, Document
from tests.reliability.table_documents import TABLES

MODELS = [*SIGNATURES, *TABLES]
"""What the documents are for."""
_MOST_BYTES = 10**6


def parse(document: Document, model_spec: ModelSpec) -> dict[str, Any] | None:
    """Read a document as the server does; None where it is refused.

    Anything but a refusal is an error of ours, and raised.
    """
    try:
        coding = document.headers.get("CONTENT_ENCODING")
        if coding:
            document.body = content_encoding.decode(document.body, coding, _MOST_BYTES)
        request = document.protocol.parse(document.body, document.headers, model_spec, MAX_ROWS)
    except ServeError:
        return None
    return request.inputs


def faults(seed: int, count: int, read: Any = parse) -> Iterator[str | bool]:
    """Read so many documents; yields what is wrong with one, or whether it was taken."""
    random = Random(seed)
    for _ in range(count):
        model_spec = random.choice(MODELS)
        document = documents.mutated(random, proper_request(random, model_spec))
        yield check(document, model_spec, read)


def proper_request(random: Random, model_spec: ModelSpec) -> Document:
    """Make a document that must be taken."""
    if model_spec.table is None:
        return documents.valid(random, model_spec)
    protocol = random.choice(table_documents.PROTOCOLS)
    return table_documents.valid(random, model_spec.table, protocol)


def check(document: Document, model_spec: ModelSpec, read: Any = parse) -> str | bool:
    """Read a document; returns what is wrong, or whether it was taken."""
    said = f"{document.protocol.__name__} {document.headers} {document.body[:500]!r}"
    try:
        inputs = read(document, model_spec)
        return _differs(inputs, document, model_spec, said) if inputs else False
    except Exception as error:  # what is not a refusal is just what is looked for
        return f"{error!r}: {said}"


def _differs(
    inputs: dict[str, Any], document: Document, model_spec: ModelSpec, said: str
) -> str | bool:
    expected = reference.read(document, model_spec)
    for spec in model_spec.inputs:
        array = inputs[spec.name]
        known = array.dtype == spec.dtype and tensors.fits(array.shape, spec)
        if not known or array.ravel().tobytes() != expected[spec.name].tobytes():
            return f"{spec.name} is {array!r}, expected {expected[spec.name]!r}: {said}"
    return True


def summary(seed: int, count: int) -> tuple[Counter[bool], list[str]]:
    """How many documents were taken and refused, and what was wrong with others."""
    counted: Counter[bool] = Counter()
    wrong = []
    for result in faults(seed, count):
        if isinstance(result, str):
            wrong.append(result)
        else:
            counted[result] += 1
    return counted, wrong
