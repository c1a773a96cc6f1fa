"""Find the attributes of classes in the source, and where they are used."""

import ast
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


class Assignment(NamedTuple):
    """`target.name = value`, wherever it stands.

    Attributes:
        owner: The class whose method it stands in; empty: in none.
        method: The function that it stands in.
        target: What has the attribute: "self", or anything else.
        name: The attribute.
    """

    owner: str
    method: str
    target: str
    name: str


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def classes(trees: Iterable[ast.Module]) -> Iterator[ast.ClassDef]:
    for node in chain.from_iterable(map(ast.walk, trees)):
        if isinstance(node, ast.ClassDef):
            yield node


def booleans(cls: ast.ClassDef) -> set[str]:
    """Return the attributes that are ever assigned True, False or a comparison."""
    return {
        name
        for name, annotation, value in _attributes(cls)
        if _names(annotation) == {"bool"} or _is_boolean(value)
    }


def optionals(cls: ast.ClassDef) -> set[str]:
    """Return the attributes that may be None."""
    return {
        name
        for name, annotation, value in _attributes(cls)
        if "None" in _names(annotation) or _is_constant(value, None)
    }


def decided_by_none(trees: Iterable[ast.Module]) -> set[str]:
    """Return the attributes that are compared with None or tested for truth.

    An attribute counts as well that was given a local name first.
    """
    found = set()
    for node in chain.from_iterable(map(ast.walk, trees)):
        if isinstance(node, FunctionDef | ast.Lambda):
            aliases = dict(_aliases(node))
            for asked in _asked(node):
                found |= {aliases.get(one, one) for one in _plain(asked)}
    return {name.removeprefix(".") for name in found if name.startswith(".")}


def assignments(tree: ast.Module) -> Iterator[Assignment]:
    """Yield all assignments to attributes, including `del` and `+=`."""
    yield from _assignments(tree, "", "")


def attributes_of(cls: ast.ClassDef) -> set[str]:
    """Return the names in `__slots__`, and those that `__init__` assigns."""
    named = {
        name
        for node in cls.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__"
        for name in ast.literal_eval(node.value)
    }
    assigned = {
        one.name
        for one in _assignments(cls, "", "")
        if one.method == "__init__" and one.target == "self"
    }
    return (named | assigned) - {"__weakref__", "__dict__"}


Found = tuple[str, ast.expr | None, ast.expr | None]
"""An attribute, its annotation, and what it is assigned."""


def _attributes(cls: ast.ClassDef) -> Iterator[Found]:
    for node in cls.body:
        match node:
            case ast.AnnAssign(target=ast.Name(name), annotation=kind, value=value):
                yield name, kind, value
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _of_self(node)


def _of_self(method: FunctionDef) -> Iterator[Found]:
    arguments = method.args
    given = {
        one.arg: one.annotation
        for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    }
    for node in ast.walk(method):
        for target, annotation, value in _pairs(node):
            match target:
                case ast.Attribute(value=ast.Name("self"), attr=name):
                    if isinstance(value, ast.Name):
                        annotation = annotation or given.get(value.id)  # noqa: PLW2901 - an argument's
                    yield name, annotation, value


def _pairs(
    node: ast.AST,
) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    """Yield targets, annotations and values of assignments; tuples one by one."""
    match node:
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            yield target, annotation, value
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                match target, value:
                    case ast.Tuple(elts=left), ast.Tuple(elts=right):
                        yield from zip(left, [None] * len(left), right, strict=True)
                    case ast.Tuple(elts=left), _:
                        yield from ((one, None, None) for one in left)
                    case _:
                        yield target, None, value
        case ast.AugAssign(target=target) | ast.NamedExpr(target=target):
            yield target, None, None
        case ast.Delete(targets=targets):
            yield from ((one, None, None) for one in targets)


def _names(annotation: ast.expr | None) -> set[str]:
    """Return the parts of an annotation: "X | None" is X and None."""
    match annotation:
        case ast.Constant(value=str(text)):
            return _names(ast.parse(text, mode="eval").body)
        case ast.Constant(value=None):
            return {"None"}
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _names(left) | _names(right)
        case None:
            return set()
    return {ast.unparse(annotation)}


def _is_constant(value: ast.expr | None, *constants: object) -> bool:
    return isinstance(value, ast.Constant) and any(value.value is c for c in constants)


def _is_boolean(value: ast.expr | None) -> bool:
    match value:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return any(map(_is_boolean, values))
    return _is_constant(value, True, False)


def _asked(function: ast.AST) -> Iterator[ast.expr]:
    """Yield expressions that are compared with None or tested for truth."""
    for node in ast.walk(function):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
                if any(_is_constant(side, None) for side in sides):
                    yield from sides
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield test
            case ast.Assert(test=test) | ast.UnaryOp(op=ast.Not(), operand=test):
                yield test
            case ast.BoolOp(values=values):
                yield from values
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.Match(subject=subject, cases=cases):
                if any(_matches_none(case.pattern) for case in cases):
                    yield subject


def _matches_none(pattern: ast.pattern) -> bool:
    return any(
        isinstance(one, ast.MatchSingleton) and one.value is None
        for one in ast.walk(pattern)
    )


def _plain(asked: ast.expr) -> Iterator[str]:
    """Yield the attribute (".name") or variable ("name") that an expression is."""
    match asked:
        case ast.Attribute(attr=name):
            yield f".{name}"
        case ast.Name(id=name):
            yield name
        case ast.NamedExpr(target=target):
            yield from _plain(target)


def _aliases(function: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the local variables to which attributes are assigned."""
    for node in ast.walk(function):
        if isinstance(node, ast.NamedExpr):
            pairs = [(node.target, None, node.value)]
        else:
            pairs = list(_pairs(node))
        for target, _, value in pairs:
            match target, value:
                case ast.Name(id=alias), ast.Attribute(attr=name):
                    yield alias, f".{name}"


def _assignments(node: ast.AST, owner: str, method: str) -> Iterator[Assignment]:
    for child in ast.iter_child_nodes(node):
        inside = owner, method
        if isinstance(child, ast.ClassDef):
            inside = child.name, ""
        elif isinstance(child, FunctionDef) and not method:
            inside = owner, child.name
        for target, annotation, value in _pairs(child):
            declared_only = annotation is not None and value is None
            if isinstance(target, ast.Attribute) and not declared_only:
                whose = ast.unparse(target.value)
                yield Assignment(*inside, whose, target.attr)
        yield from _assignments(child, *inside)
