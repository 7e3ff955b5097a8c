"""Operators on a Python module: source in, changed sources out. Not here: judging (judge.py)."""

import ast
from collections.abc import Iterator

_COMPARE = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
# No division: it joins paths here, and what no type allows is noticed by the first import.
_BINARY = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.FloorDiv: "*"}
_UNSEEN = ("log.", "typer.", "dataclass", "wait_random", "stop_after_delay")
"""Calls whose arguments are words, or how long something waits."""
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "sum": "max"}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(operator, changed source) for every place; texts that a person reads are left alone."""
    tree = ast.parse(source)
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line.encode()))
    raw = source.encode()
    quiet = set(_not_judged(tree))
    for node in ast.walk(tree):
        if id(node) in quiet or not hasattr(node, "lineno"):
            continue
        for name, new in _changes(node, source):
            start = offsets[node.lineno - 1] + node.col_offset
            end = offsets[node.end_lineno - 1] + node.end_col_offset
            changed = (raw[:start] + new.encode() + raw[end:]).decode()
            if changed != source:
                yield name, changed


def parses(source: str) -> bool:
    """Whether a changed source is Python at all; asked of the drawn ones, it takes a while."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _not_judged(tree: ast.AST) -> Iterator[int]:
    """Annotations, docstrings, messages, logging, the command's help: not what is computed."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            parts = [node.returns, *(a.annotation for a in arguments)]
        elif isinstance(node, ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.Raise):
            parts = [node.exc]
        elif (
            isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr))
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or isinstance(node, ast.Call)
            and ast.unparse(node.func).startswith(_UNSEEN)
            or isinstance(node, ast.If)
            and ast.unparse(node.test) == "TYPE_CHECKING"
        ):
            parts = [node]
        for part in filter(None, parts):
            yield from (id(inner) for inner in ast.walk(part))


def _changes(node: ast.AST, source: str) -> Iterator[tuple[str, str]]:  # noqa: C901
    def text(part: ast.AST) -> str:
        return ast.get_source_segment(source, part) or ast.unparse(part)

    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        new = _COMPARE[type(node.ops[0])]
        yield "comparison", f"({text(node.left)}) {new} ({text(node.comparators[0])})"
    elif isinstance(node, ast.BoolOp):
        word, other = (" and ", " or ") if isinstance(node.op, ast.And) else (" or ", " and ")
        yield "and for or", other.join(f"({text(v)})" for v in node.values)
        for k in range(len(node.values)):
            rest = [f"({text(v)})" for n, v in enumerate(node.values) if n != k]
            yield "condition dropped", word.join(rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", f"({text(node.operand)})"
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        yield "operator", f"({text(node.left)}) {_BINARY[type(node.op)]} ({text(node.right)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield "constant", repr(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield (
            "branches turned",
            (f"({text(node.orelse)} if {text(node.test)} else {text(node.body)})"),
        )
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield "function", _CALLS[node.func.id] + text(node)[len(node.func.id) :]
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "nothing returned", "return None"
