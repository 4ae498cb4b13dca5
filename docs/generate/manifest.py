"""docs/reference/manifest.md: the fields of ``manifest.json``."""

import ast
import dataclasses
import inspect
import itertools
import textwrap
from typing import Any, get_type_hints

from bundle.features import Feature
from bundle.manifest import Dataset, Manifest, TensorSpec
from bundle.measurements import Difference, Parity, Quantization
from docs.generate.markdown import code, page, table

_INTRODUCTION = """\
`models/NAME/VERSION/manifest.json` describes a published version. `python -m export` writes it,
the server reads it. Optional fields may be missing. Readers ignore fields that they do not know,
and reject another `schema_version`."""
_PARTS = {
    TensorSpec: "Tensors",
    Feature: "Features",
    Dataset: "Data set",
    Parity: "Parity",
    Difference: "Parts of parity",
    Quantization: "Quantization",
}


def write() -> str:
    """The page."""
    parts = [_INTRODUCTION, _table(Manifest)]
    for kind, title in _PARTS.items():
        parts += [f"## {title}", _table(kind)]
    return page("manifest.json", *parts)


def _table(kind: type[Any]) -> str:
    hints, said = get_type_hints(kind), _docstrings(kind)
    rows = [
        (code(field.name), _type(hints[field.name]), _optional(field), said.get(field.name, ""))
        for field in dataclasses.fields(kind)
    ]
    return table(("field", "type", "", "meaning"), rows)


def _type(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) else str(hint)
    for name in (
        "collections.abc.",
        "bundle.manifest.",
        "bundle.measurements.",
        "bundle.features.",
    ):
        text = text.replace(name, "")
    return code(text.removesuffix(" | None"))


def _optional(field: dataclasses.Field[Any]) -> str:
    missing = dataclasses.MISSING
    required = field.default is missing and field.default_factory is missing
    return "" if required else "optional"


def _docstrings(kind: type[Any]) -> dict[str, str]:
    """The string that follows a field, by the field's name; also of the classes it inherits."""
    said = {}
    for base in reversed(kind.__mro__[:-1]):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(words))):
                    said[name] = " ".join(words.replace("``", "`").split())
    return said
