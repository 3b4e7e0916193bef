"""Three-valued logic as Python: ``and``, ``or``, ``xor`` and ``implies`` of True, False and None.

http://hl7.org/fhirpath/N1/#boolean-logic

Part of `writing`.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["three_valued"]


def three_valued(operator: str, left: str, right: str, fresh: Callable[[str], str]) -> str:
    """The expression for two expressions; `fresh` gives names that are not used yet.

    The right side is asked only where the left does not decide.
    """
    one, other = fresh("t"), fresh("t")
    match operator:
        case "and":
            return (
                f"(False if ({one} := {left}) is False else False if ({other} := {right}) is False"
                f" else True if {one} and {other} else None)"
            )
        case "or":
            return (
                f"(True if ({one} := {left}) else True if ({other} := {right})"
                f" else False if {one} is False and {other} is False else None)"
            )
        case "xor":
            return (
                f"(None if ({one} := {left}) is None or ({other} := {right}) is None"
                f" else {one} != {other})"
            )
    return (
        f"(True if ({one} := {left}) is False else True if ({other} := {right})"
        f" else None if {one} is None else {other})"
    )
