"""Operators on the Jinja source of models and macros: text in, changed texts out.

Belongs here: where a fault can be planted in SQL, found by its shape and never by line number. Not
here: whether anything notices (judge.py). What no longer compiles is counted as stillborn there.
"""

import re
from collections.abc import Callable, Iterator

Change = tuple[int, int, str]
"""Start, end, and what stands there instead."""

_COMMENT = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
_NAME = r"[a-z_][a-z_0-9.]*"
_BETWEEN = rf"({_NAME}) between (-?[\d.]+) and (-?[\d.]+)"


def _code(text: str) -> str:
    """The text with comments and config blanked: same length, nothing in them matches.

    A config is rendered when the project is parsed, and faults are planted after.
    """
    code = _COMMENT.sub(_blank, text)
    for found in re.finditer(r"\{\{ config\(", code):
        end = _closing(code, found.end() - 1)
        code = code[: found.start()] + _blank(code[found.start() : end]) + code[end:]
    return code


def _blank(found: re.Match[str] | str) -> str:
    return re.sub(r"[^\n]", " ", found if isinstance(found, str) else found[0])


def _each(
    pattern: str, new: str | Callable[[re.Match[str]], str]
) -> Callable[[str], Iterator[Change]]:
    """An operator that replaces each match of a pattern, one at a time."""
    compiled = re.compile(pattern, re.MULTILINE)

    def changes(code: str) -> Iterator[Change]:
        for found in compiled.finditer(code):
            yield found.start(), found.end(), new(found) if callable(new) else found.expand(new)

    return changes


def _closing(code: str, opening: int) -> int | None:
    """Position of the parenthesis that closes the one at ``opening``."""
    depth, quoted = 0, False
    for at in range(opening, len(code)):
        if code[at] == "'":
            quoted = not quoted
        elif not quoted and code[at] in "([{":
            depth += 1
        elif not quoted and code[at] in ")]}":
            depth -= 1
            if not depth:
                return at
    return None


def _arguments(inside: str) -> list[str]:
    """Arguments of a call, split at its own commas."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(inside):
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "([{":
            depth += 1
        elif not quoted and char in ")]}":
            depth -= 1
        elif not quoted and char == "," and not depth:
            parts.append(inside[start:at])
            start = at + 1
    return [*parts, inside[start:]]


def _calls(code: str, name: str) -> Iterator[tuple[int, int, list[str]]]:
    """(start, end, arguments) of each call of a function."""
    for found in re.finditer(rf"\b{name}\(", code):
        end = _closing(code, found.end() - 1)
        if end is not None:
            yield found.start(), end + 1, _arguments(code[found.end() : end])


def branch_lost(code: str) -> Iterator[Change]:
    """A coalesce without one of its branches."""
    for start, end, parts in _calls(code, "coalesce"):
        for k in range(len(parts)) if len(parts) > 1 else ():
            rest = [part.strip() for n, part in enumerate(parts) if n != k]
            yield start, end, f"coalesce({', '.join(rest)})"


def branches_turned(code: str) -> Iterator[Change]:
    """A coalesce whose neighbouring branches changed places."""
    for start, end, parts in _calls(code, "coalesce"):
        for k in range(len(parts) - 1):
            turned = [part.strip() for part in parts]
            turned[k], turned[k + 1] = turned[k + 1], turned[k]
            yield start, end, f"coalesce({', '.join(turned)})"


def unwrapped(code: str) -> Iterator[Change]:
    """A cleaning function left out: nullif, btrim, translate."""
    for name in ("nullif", "btrim", "translate"):
        for start, end, parts in _calls(code, name):
            yield start, end, parts[0].strip()


def filter_dropped(code: str) -> Iterator[Change]:
    """An aggregate over all rows instead of some."""
    for found in re.finditer(r"\s*filter \(", code):
        end = _closing(code, found.end() - 1)
        if end is not None:
            yield found.start(), end + 1, ""


def columns_swapped(code: str) -> Iterator[Change]:
    """Two columns of a select, one after the other, that have each other's values."""
    line = re.compile(
        rf"^ +(?P<value>[^\n]+?)(?: as (?P<name>{_NAME}))?(?P<comma>,?) *$", re.MULTILINE
    )
    rows = [found for found in line.finditer(code) if _column(found)]
    for one, two in zip(rows, rows[1:], strict=False):
        if code[one.end() : two.start()].strip() or not one["comma"]:
            continue
        value, other = one["value"], two["value"]
        name, last = one["name"] or value.split(".")[-1], two["name"] or other.split(".")[-1]
        pad = one[0][: one.start("value") - one.start()]
        new = f"{pad}{other} as {name},\n{pad}{value} as {last}{two['comma']}"
        yield one.start(), two.end(), new


def _column(found: re.Match[str]) -> bool:
    value = found["value"]
    plain = re.fullmatch(_NAME, value) is not None
    balanced = value.count("(") == value.count(")") and "{%" not in value
    return plain or (found["name"] is not None and balanced and not value.startswith("with "))


def condition_dropped(code: str) -> Iterator[Change]:
    """A condition on a line of its own left out: of a join, of a where."""
    for found in re.finditer(r"^ +(and|or) [^\n]*$", code, re.MULTILINE):
        balanced = found[0].count("(") == found[0].count(")")
        if balanced and not found[0].rstrip().endswith(","):
            yield found.start(), found.end(), ""
    for found in re.finditer(r"^ *where [^\n]*$", code, re.MULTILINE):
        if found[0].count("(") == found[0].count(")"):
            yield found.start(), found.end(), ""
    for found in re.finditer(r"^( *)where\n +[^\n]+\n +and ", code, re.MULTILINE):
        yield found.start(), found.end(), f"{found[1]}where\n{found[1]}    "


def result_turned(code: str) -> Iterator[Change]:
    """The then of one branch of a case and that of the next changed places."""
    thens = list(re.finditer(r"\b(?:then|else) (?P<value>'[^']*'|[\w.]+)", code))
    for one, two in zip(thens, thens[1:], strict=False):
        between = code[one.end("value") : two.start("value")]
        if one["value"] != two["value"] and "case" not in between and "end" not in between.split():
            new = two["value"] + between + one["value"]
            yield one.start("value"), two.end("value"), new


def _bumped(found: re.Match[str]) -> str:
    return str(int(found[0]) + 1)


def word_changed(code: str) -> Iterator[Change]:
    """Another text; names that Jinja looks up are left alone, they would only be missed."""
    for found in re.finditer(r"(?<=[ (])'([A-Za-zà-ú][\w à-ú.:]*)'(?!\s*[:\]])", code):
        line = code[code.rfind("\n", 0, found.start()) + 1 : found.start()]
        if not re.search(r"ref\(|source\(|config\(|columns|depends_on|get\(|var\(", line):
            yield found.start(), found.end(), f"'{found[1]}~'"


OPERATORS: dict[str, Callable[[str], Iterator[Change]]] = {
    "columns swapped": columns_swapped,
    "condition dropped": condition_dropped,
    "branch of coalesce lost": branch_lost,
    "branches of coalesce turned": branches_turned,
    "cleaning left out": unwrapped,
    "filter dropped": filter_dropped,
    "results of a case turned": result_turned,
    "asc for desc": _each(r"\basc\b", "desc"),
    "desc for asc": _each(r"\bdesc\b", "asc"),
    "max for sum": _each(r"\bsum\(", "max("),
    "avg for sum": _each(r"\bsum\(", "avg("),
    "sum for avg": _each(r"\bavg\(", "sum("),
    "avg for max": _each(r"\bmax\((?!\w*_em|\w*at\b|id)", "avg("),
    "min for max": _each(r"\bmax\(", "min("),
    "max for min": _each(r"\bmin\(", "max("),
    "least for greatest": _each(r"\bgreatest\(", "least("),
    "greatest for least": _each(r"\bleast\(", "greatest("),
    "bool_or for bool_and": _each(r"\bbool_and\(", "bool_or("),
    "bool_and for bool_or": _each(r"\bbool_or\(", "bool_and("),
    "rows counted instead of values": _each(r"\bcount\((?!\*|distinct)[\w.]+\)", "count(*)"),
    "distinct dropped": _each(r"\b(?<=count\()distinct |(?<=select )distinct (?!on)", ""),
    "inner for left": _each(r"\bleft join\b", "inner join"),
    "left for inner": _each(r"\binner join\b", "left join"),
    "edge moved, <": _each(r"(?<![<>=-])<(?![=>])", "<="),
    "edge moved, <=": _each(r"<=", "<"),
    "edge moved, >": _each(r"(?<![<>=-])>(?![=>])", ">="),
    "edge moved, >=": _each(r">=", ">"),
    "upper edge out": _each(_BETWEEN, r"\1 >= \2 and \1 < \3"),
    "lower edge out": _each(_BETWEEN, r"\1 > \2 and \1 <= \3"),
    "null test turned": _each(r"\bis not null\b", "is null"),
    "null test turned back": _each(r"\bis null\b", "is not null"),
    "or for and": _each(r"(?<=[a-z)\d']) and (?=[a-z(])(?![^\n]*between)", " or "),
    "unequal for equal": _each(r"(?<= )= (?=['\d])", "<> "),
    "equal for unequal": _each(r"<>", "="),
    "in turned": _each(r"(?<!not) in \((?=select|')", " not in ("),
    # What a subquery of exists selects is never read.
    "constant changed": _each(
        r"(?<!exists \(select )(?<![\w.\[~%'(])\d+(?![\w.\]\)'])|(?<=, )\d+(?=\))", _bumped
    ),
    "word changed": word_changed,
    "plus turned": _each(r"(?<=[\w)]) \+ (?=[\w(])", " - "),
    "minus turned": _each(r"(?<=[\w)]) - (?=[\w(])", " + "),
    "times turned": _each(r"(?<=[\w)])(?<!select) \* (?=[\w(])", " / "),
    "divided turned": _each(r"(?<=[\w)]) / (?=[\w(])", " * "),
}  # fmt: skip


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """(operator, changed text) for every place that an operator finds."""
    code = _code(text)
    seen = {text}
    for name, operator in OPERATORS.items():
        for start, end, new in operator(code):
            changed = text[:start] + new + text[end:]
            if changed not in seen:
                seen.add(changed)
                yield name, changed
