"""Syntax tree to Python closures: the complete engine.

Each part of the tree becomes one closure ``(focus, context) -> collection``.  Names of
functions and numbers of arguments are settled here, once; what is left for evaluation is
data.  An error raised below gets the line and column of the call or operator it came from.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.budget import BudgetExceeded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Closure, Context, boolean, integer, one
from fhir_bridge.fhirpath.functions.arithmetic import negate
from fhir_bridge.fhirpath.functions.filtering import SortKey
from fhir_bridge.fhirpath.functions.instances import builder
from fhir_bridge.fhirpath.functions.operators import BINARY, LOGIC
from fhir_bridge.fhirpath.functions.references import resolves_to
from fhir_bridge.fhirpath.functions.registry import FUNCTIONS, Function
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.language.lexer import locate
from fhir_bridge.fhirpath.language.suggestion import did_you_mean
from fhir_bridge.fhirpath.variables import variable
from fhir_bridge.fhirpath_values import Model, Node, distinct, step

__all__ = ["compile_closure"]


def compile_closure(tree: syntax.Expr, text: str, model: Model) -> Closure:
    """The closure of a whole expression; FB-2003 for an unknown function."""
    return _Compiler(text, model).scoped(tree)


class _Compiler:
    def __init__(self, text: str, model: Model) -> None:
        self.text = text
        self.model = model

    def scoped(self, tree: syntax.Expr) -> Closure:
        """A closure with a scope of variables of its own, where the tree defines any."""
        closure = self.expression(tree)
        if not syntax.defines_variable(tree):
            return closure

        def run(focus: list[Any], context: Context) -> list[Any]:
            outer = context.variables
            try:
                return closure(focus, context)
            finally:
                context.variables = outer

        return run

    def expression(self, tree: syntax.Expr) -> Closure:
        made: Closure = getattr(self, f"_{type(tree).__name__.lower()}")(tree)
        return made

    def located(self, closure: Closure, offset: int) -> Closure:
        placed = self.placed

        def run(focus: list[Any], context: Context) -> list[Any]:
            try:
                return closure(focus, context)
            except BridgeError as error:
                raise placed(error, offset) from None

        return run

    def placed(self, error: BridgeError, offset: int) -> BridgeError:
        """The error with its line and column, unless it has a place already."""
        lead = error.issues[0]
        if lead.where or not lead.code.startswith("FB-20"):
            return error
        kind = BudgetExceeded if isinstance(error, BudgetExceeded) else BridgeError
        return kind(lead.code, locate(self.text, offset), **dict[str, Any](lead.details))

    def _literal(self, tree: syntax.Literal) -> Closure:
        items = [] if tree.value is None else [tree.value]
        return lambda _focus, _context: items

    def _special(self, tree: syntax.Special) -> Closure:
        if tree.name == "this":
            return lambda _focus, context: context.this
        if tree.name == "index":
            return lambda _focus, context: [] if context.index is None else [context.index]
        return lambda _focus, context: context.total

    def _constant(self, tree: syntax.Constant) -> Closure:
        name = tree.name
        return self.located(lambda _focus, context: variable(name, context), tree.offset)

    def _member(self, tree: syntax.Member) -> Closure:
        """A name at the start: the focus itself when it is of that type, else its element."""
        name, model = tree.name, self.model
        if not name[:1].isupper():
            return lambda focus, context: step(focus, name, model, context)

        def run(focus: list[Any], context: Context) -> list[Any]:
            out: list[Any] = []
            for item in focus:
                if type(item) is Node and (
                    item.type_name == name or (item.type_name and model.is_a(item.type_name, name))
                ):
                    out.append(item)
                else:
                    out += step([item], name, model, context)
            return out

        return run

    def _path(self, tree: syntax.Path) -> Closure:
        steps = [self.expression(tree.start)]
        steps += [self.following(part) for part in tree.steps]
        if len(steps) == 1:
            return self.scoped(tree.start)
        first, *rest = steps

        def run(focus: list[Any], context: Context) -> list[Any]:
            items = first(focus, context)
            for each in rest:
                items = each(items, context)
            return items

        return run

    def following(self, tree: syntax.Expr) -> Closure:
        """A step behind a dot."""
        if isinstance(tree, syntax.Member):
            name, model = tree.name, self.model
            return lambda focus, context: step(focus, name, model, context)
        return self.expression(tree)

    def _index(self, tree: syntax.Index) -> Closure:
        position = self.scoped(tree.position)

        def run(focus: list[Any], context: Context) -> list[Any]:
            place = integer(position(context.this, context), "an index")
            if place is None or not 0 <= place < len(focus):
                return []
            return [focus[place]]

        return self.located(run, tree.offset)

    def _unary(self, tree: syntax.Unary) -> Closure:
        operand = self.scoped(tree.operand)
        if tree.operator == "-":
            return self.located(lambda focus, context: negate(operand(focus, context)), tree.offset)

        def positive(focus: list[Any], context: Context) -> list[Any]:
            items = operand(focus, context)
            negate(items)
            return items

        return self.located(positive, tree.offset)

    def _binary(self, tree: syntax.Binary) -> Closure:
        left, right = self.scoped(tree.left), self.scoped(tree.right)
        if tree.operator in LOGIC:
            decide = LOGIC[tree.operator]

            def logic(focus: list[Any], context: Context) -> list[Any]:
                answer = decide(
                    boolean(left(focus, context), f"a side of {tree.operator}"),
                    lambda: boolean(right(focus, context), f"a side of {tree.operator}"),
                )
                return [] if answer is None else [answer]

            return self.located(logic, tree.offset)
        apply = BINARY[tree.operator]
        return self.located(
            lambda focus, context: apply(left(focus, context), right(focus, context), context),
            tree.offset,
        )

    def _union(self, tree: syntax.Union) -> Closure:
        parts = [self.scoped(part) for part in tree.parts]

        def run(focus: list[Any], context: Context) -> list[Any]:
            items: list[Any] = []
            for part in parts:
                found = part(focus, context)
                context.budget.items(len(found))
                items += found
            return distinct(items, context)

        return run

    def _typetest(self, tree: syntax.TypeTest) -> Closure:
        inner = syntax.before_resolve(tree.operand)
        if tree.operator == "is" and inner is not None:
            target = self.scoped(inner)
            return self.located(
                lambda focus, context: resolves_to(target(focus, context), context, tree.type_name),
                tree.offset,
            )
        operand = self.scoped(tree.operand)
        call = FUNCTIONS[tree.operator].call
        return self.located(
            lambda focus, context: call(operand(focus, context), context, tree.type_name),
            tree.offset,
        )

    def _call(self, tree: syntax.Call) -> Closure:
        function = FUNCTIONS.get(tree.name)
        if function is None:
            raise BridgeError(
                "FB-2003",
                locate(self.text, tree.offset),
                name=f"{tree.name}()",
                reason=f"there is no such function{did_you_mean(tree.name, FUNCTIONS)}",
            )
        count = len(tree.arguments)
        if not function.least <= count <= function.most:
            span = (
                f"{function.least or 'no'}"
                if function.least == function.most
                else f"{function.least} to {function.most}"
            )
            raise BridgeError(
                "FB-2003",
                locate(self.text, tree.offset),
                name=f"{tree.name}()",
                reason=f"it takes {span} argument{'s' * (function.most != 1)}, not {count}",
            )
        return self.located(self.bound(function, tree), tree.offset)

    def bound(self, function: Function, tree: syntax.Call) -> Closure:
        """The call with its arguments in the style the function wants."""
        call = function.call
        if function.style == "type":
            name = syntax.type_name_of(tree.arguments[0])
            if name is None:
                raise BridgeError(
                    "FB-2003",
                    locate(self.text, tree.arguments[0].offset),
                    name=f"{tree.name}()",
                    reason="its argument is the name of a type",
                )
            return lambda focus, context: call(focus, context, name)
        if tree.name == "sort":
            keys = [self.sort_key(argument) for argument in tree.arguments]
            return lambda focus, context: call(focus, context, *keys)
        arguments = [self.scoped(argument) for argument in tree.arguments]
        if function.style == "lambda":
            return lambda focus, context: call(focus, context, *arguments)
        if not arguments:
            return call
        if len(arguments) == 1:
            only = arguments[0]
            return lambda focus, context: call(focus, context, only(context.this, context))
        return lambda focus, context: call(
            focus, context, *[argument(context.this, context) for argument in arguments]
        )

    def sort_key(self, tree: syntax.Expr) -> SortKey:
        """A key of ``sort()``; ``desc`` or a leading minus turn the order round, for strings too.

        An empty key is the lowest; its negative is empty too, so that it stays in front.
        """
        if isinstance(tree, syntax.SortKey):
            key = self.sort_key(tree.key)
            return SortKey(key.closure, key.sign, -1 if tree.descending else 1)
        if isinstance(tree, syntax.Unary) and tree.operator == "-":
            return SortKey(self.scoped(tree.operand), -1)
        return SortKey(self.scoped(tree))

    def _instance(self, tree: syntax.Instance) -> Closure:
        try:
            build = builder(tree.type_name, [name for name, _ in tree.elements], self.model)
        except BridgeError as error:
            raise self.placed(error, tree.offset) from None
        parts = [self.scoped(element) for _, element in tree.elements]

        def run(focus: list[Any], context: Context) -> list[Any]:
            if one(focus, "the input of an instance selector") is None:
                return []
            made = build([part(focus, context) for part in parts])
            context.budget.tree(made.value)
            return [made]

        return self.located(run, tree.offset)
