"""Small changes of source code, each of which a test should notice."""

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: Path
    line: int
    begin: int
    """Where in the file, in bytes."""
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.old} -> {self.new}"

    def apply(self, source: str) -> str:
        """The source with the change in it."""
        data, old = source.encode(), self.old.encode()
        assert data.startswith(old, self.begin)
        return (data[: self.begin] + self.new.encode() + data[self.begin + len(old) :]).decode()


def of(path: Path, source: str) -> Iterator[Mutant]:
    """All that can be changed in a file: comparisons, conditions, numbers, calls, results."""
    tree = ast.parse(source)
    data = source.encode()
    lines = [0, *itertools.accumulate(map(len, data.splitlines(keepends=True)))]
    ignored = {id(inner) for node in _unmeant(tree) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in ignored or not isinstance(node, ast.expr | ast.stmt):
            continue
        new = _changed(node)
        if new and node.end_lineno and node.end_col_offset:
            begin = lines[node.lineno - 1] + node.col_offset
            old = data[begin : lines[node.end_lineno - 1] + node.end_col_offset].decode()
            yield Mutant(path, node.lineno, begin, old, new)


def _unmeant(tree: ast.Module) -> Iterator[ast.AST]:
    """What no behaviour hangs on: annotations, and what is said in logs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = (*node.args.args, *node.args.kwonlyargs)
            yield from filter(None, (node.returns, *(one.annotation for one in arguments)))
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.Assert) or _is_log(node):
            yield node


def _is_log(node: ast.AST) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func).startswith("log.")


def _changed(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=bool(value)):
            return str(not value)
        case ast.Constant(value=int(value)):
            return str(value + 1)
        case ast.Expr(value=ast.Call()):
            return "pass"
        case ast.Return(value=value) if value and not isinstance(value, ast.Constant):
            return "return None"
    return _operated(node)


def _operated(node: ast.AST) -> str | None:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return f"{ast.unparse(left)} {_COMPARISONS[type(operator)]} {ast.unparse(right)}"
        case ast.BoolOp(op=ast.Or(), values=values):
            return " and ".join(f"({ast.unparse(value)})" for value in values)
        case ast.BoolOp(op=ast.And(), values=values):
            return " or ".join(f"({ast.unparse(value)})" for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"bool({ast.unparse(operand)})"
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATIONS:
            return ast.unparse(ast.BinOp(left, _OPERATIONS[type(operator)](), right))
    return None
