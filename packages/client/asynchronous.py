"""Writes the asynchronous client from the one that blocks, so that there is one source.

    python packages/client/asynchronous.py

Each module of `MODULES` becomes one of the same name in `service/client/asynchronous`: classes are
called `Async…`, and every method that waits is a coroutine. A test holds them to each other.
"""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "service" / "client"
OUT = FOLDER / "asynchronous"
PACKAGE = "nativeear.service.client"
MODULES = ("client", "connection", "people", "references", "work")

CLASSES = {
    "Client": "AsyncClient",
    "Connection": "AsyncConnection",
    "PeopleOfService": "AsyncPeopleOfService",
    "ReferenceClient": "AsyncReferenceClient",
    "WorkClient": "AsyncWorkClient",
}
NAMES = {
    **CLASSES,
    "Iterable": "AsyncIterable",
    "Iterator": "AsyncIterator",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "close": "aclose",
}
WAITING = {
    "_connection": {"ask", "read", "close"},
    "_http": {"request", "close"},
    "self": {"_post", "_send", "_wait", "ask", "batch", "close", "pause"},
}
"""Which methods of what are waited for."""

SHARED = {
    "connection": {"ProblemError", "path_of", "problem_in", "read"},
    "client": {"AssessmentOptions"},
    "work": {"BatchOptions"},
}
"""What both clients have from the one that blocks."""

SAID = {
    "Safe to share between threads": "Safe to share between tasks",
    ", in a thread of its own": "",
}
"""What the docstrings say otherwise."""

HEAD = "# Written by packages/client/asynchronous.py: change the module that blocks, and run it.\n"


class _Asynchronous(ast.NodeTransformer):
    """A module that blocks, as one that waits."""

    def __init__(self, module: str) -> None:
        self._shared = SHARED.get(module, set())
        self._waits = False

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [each for each in node.body if getattr(each, "name", None) not in self._shared]
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.name = CLASSES[node.name]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, self._waits = self._waits, False
        self.generic_visit(node)
        waits, self._waits = self._waits, outer
        node.name = NAMES.get(node.name, node.name)
        if not waits and node.name != "__aenter__":
            return node
        return ast.AsyncFunctionDef(**{name: getattr(node, name) for name in node._fields})

    def visit_Call(self, node: ast.Call) -> ast.AST:
        waited = _is_waited(node.func)
        self.generic_visit(node)
        self._waits |= waited
        return ast.Await(node) if waited else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """An asynchronous iterator yields one after another."""
        if isinstance(node.value, ast.YieldFrom):
            item = ast.Name("item", ast.Store())
            each = ast.Expr(ast.Yield(ast.Name("item", ast.Load())))
            return ast.For(item, self.visit(node.value.value), [each], [])
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        for told, meant in SAID.items():
            if isinstance(node.value, str):
                node.value = node.value.replace(told, meant)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = NAMES.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node) == "httpx.Client":
            node.attr = "AsyncClient"
        elif node.attr == "close":
            node.attr = "aclose"
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:
        if node.module == "time" and any(name.name == "sleep" for name in node.names):
            node.names = [name for name in node.names if name.name != "sleep"]
            return [node, ast.ImportFrom("asyncio", [ast.alias("sleep")], 0)]
        if not (node.module or "").startswith(PACKAGE):
            node.names = [ast.alias(NAMES.get(name.name, name.name)) for name in node.names]
            return node
        ours = [ast.alias(CLASSES[name.name]) for name in node.names if name.name in CLASSES]
        module = str(node.module).replace(PACKAGE, f"{PACKAGE}.asynchronous")
        if str(node.module).endswith(".streaming"):
            ours, node.names = [ast.alias("stream")], [ast.alias("FinishedWord")]
        kept = [name for name in node.names if name.name not in CLASSES]
        parts = [(node.module, kept), (module, ours)]
        return [ast.ImportFrom(name, names, 0) for name, names in parts if names]


def _is_waited(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id == "sleep"
    if not isinstance(called, ast.Attribute):
        return False
    of = called.value.attr if isinstance(called.value, ast.Attribute) else ast.unparse(called.value)
    return called.attr in WAITING.get(of, ())


def asynchronous(module: str) -> str:
    """The asynchronous form of a module of the client."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    if module in SHARED:
        own = f"{PACKAGE}.{module}"
        shared = ast.ImportFrom(own, [ast.alias(name) for name in sorted(SHARED[module])], 0)
        tree.body.insert(2, shared)
    return HEAD + ast.unparse(ast.fix_missing_locations(_Asynchronous(module).visit(tree)))


if __name__ == "__main__":
    for name in MODULES:
        (OUT / f"{name}.py").write_text(asynchronous(name) + "\n", encoding="utf-8")
    subprocess.run(["ruff", "check", "-q", "--fix", "--select", "F401,I,UP034", OUT], check=True)
    subprocess.run(["ruff", "format", "-q", OUT], check=True)
