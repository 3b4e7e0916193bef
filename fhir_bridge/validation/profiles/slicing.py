"""Slices: which items of a list belong to which slice.

https://hl7.org/fhir/R4/profiling.html#discriminator

Known discriminators: value and pattern (fixed value, pattern or required codes at the
path), type, exists, profile.  A slice whose discriminator cannot be judged is left out of the
judgement and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from fhir_bridge.fhir import parse_reference
from fhir_bridge.validation.context import resolve
from fhir_bridge.validation.profiles.element_tree import ElementNode
from fhir_bridge.validation.values import fits_codes, matches_pattern, stated_value

__all__ = ["ByUrl", "Matcher", "SliceKnowledge", "may_match", "slice_matcher"]

Matcher = Callable[[Any], bool]
Conforms = Callable[[Any, str], bool | None]


class SliceKnowledge(Protocol):
    """What discriminators ask of the profiles at hand."""

    def codes(self, value_set_url: str) -> Mapping[str, frozenset[str]] | None:
        """The codes of a value set by system; None when it cannot be listed."""

    def conforms(self, value: Any, url: str) -> bool | None:
        """Whether `value` conforms to the profile at `url`; None when that is not known."""

    def tree(self, url: str) -> ElementNode | None:
        """The elements of the profile at `url`, or of the element that it is narrowed to."""


class ByUrl:
    """The matcher of a slice of extensions: by their URLs."""

    __slots__ = ("urls",)

    def __init__(self, urls: frozenset[str]) -> None:
        self.urls = urls

    def __call__(self, item: Any) -> bool:
        """Whether `item` is an extension with one of the URLs."""
        return isinstance(item, dict) and item.get("url") in self.urls


class Unsure:
    """A matcher that cannot always tell: what it surely takes, and what may be of the slice."""

    __slots__ = ("may_match", "surely")

    def __init__(self, surely: Matcher, may_match: Matcher) -> None:
        self.surely = surely
        self.may_match = may_match

    def __call__(self, item: Any) -> bool:
        """Whether `item` is surely of the slice."""
        return self.surely(item)


def may_match(matcher: Matcher, item: Any) -> bool:
    """Whether `item` is, or may be, of the slice."""
    return matcher.may_match(item) if isinstance(matcher, Unsure) else matcher(item)


_STEP = re.compile(r"extension\((['\"])(?P<url>.*?)\1\)|(?P<word>[\w$\[\]]+)(?:\(\w*\))?")


def slice_matcher(
    node: ElementNode,
    discriminators: list[Mapping[str, str]],
    profiles: SliceKnowledge,
) -> Matcher | None:
    """A test whether an item is of slice `node`; None when that cannot be judged."""
    matchers = [
        _matcher(node, item.get("type", ""), _steps(item.get("path", "")), profiles)
        for item in discriminators
    ]
    if not matchers or any(matcher is None for matcher in matchers):
        return None
    chosen = [matcher for matcher in matchers if matcher is not None]
    if len(chosen) == 1:
        return chosen[0]
    return Unsure(
        lambda item: all(matcher(item) for matcher in chosen),
        lambda item: all(may_match(matcher, item) for matcher in chosen),
    )


def _matcher(
    node: ElementNode, kind: str, steps: list[str], profiles: SliceKnowledge
) -> Matcher | None:
    if kind in ("value", "pattern"):
        return _value_matcher(node, steps, profiles)
    if kind == "exists":
        return _exists_matcher(node, steps)
    if kind == "type":
        return _type_matcher(node, steps)
    return _profile_matcher(node, steps, profiles.conforms) if kind == "profile" else None


def _profile_matcher(node: ElementNode, steps: list[str], conforms: Conforms) -> Matcher | None:
    """Whether what stands at the path conforms to a profile that the slice names there."""
    target: ElementNode | None = node
    for step in [step for step in steps if step != "resolve()"]:
        target = _child(target, step) if target else None
    if target is None:
        return None
    kinds = target.element.get("type", ())
    named = "targetProfile" if "resolve()" in steps else "profile"
    urls = [url for kind in kinds for url in kind.get(named, ())]
    if not urls:
        return None
    plain = [step for step in steps if step != "resolve()"]

    def may(item: Any) -> bool:
        answers = [conforms(value, url) for value in values_at(item, steps) for url in urls]
        if any(answer is not False for answer in answers):
            return True
        return "resolve()" in steps and not answers and any(values_at(item, plain))

    return Unsure(
        lambda item: any(conforms(value, url) for value in values_at(item, steps) for url in urls),
        may,
    )


def _steps(path: str) -> list[str]:
    """``coding.code`` as words; ``extension('u')`` as ``extension|u``; ``$this`` as nothing."""
    steps = []
    for match in _STEP.finditer(path):
        if match["url"] is not None:
            steps.append(f"extension|{match['url']}")
        elif match[0].startswith("resolve("):
            steps.append("resolve()")
        elif match["word"] not in ("$this", "ofType"):
            steps.append(match["word"])
    return steps


def _value_matcher(node: ElementNode, steps: list[str], profiles: SliceKnowledge) -> Matcher | None:
    if steps == ["url"] and node.profile_urls() and "url" not in node.children:
        return ByUrl(frozenset(url.partition("|")[0] for url in node.profile_urls()))
    for depth in range(len(steps) + 1):
        rest = steps[depth:]
        if depth and node.element.get("max") == "0":  # told apart by what it must not have
            return lambda item: next(values_at(item, steps), None) is None
        stated = _stated(node.element)
        if stated is not None:
            wanted = list(values_at(stated, rest))
            return _any_matches(steps, wanted) if wanted else None
        binding = node.element.get("binding", {})
        if not rest and binding.get("strength") == "required":
            systems = profiles.codes(binding.get("valueSet", ""))
            if systems is None:
                return None
            return lambda item: any(fits_codes(value, systems) for value in values_at(item, steps))
        if not rest:
            return None
        below = _child(node, rest[0]) or _child_of_profile(node, rest[0], profiles)
        if below is None:
            return None
        node = below
    return None


def _child_of_profile(node: ElementNode, step: str, profiles: SliceKnowledge) -> ElementNode | None:
    """What a profile that `node` names states below it, when it names exactly one."""
    trees = [profiles.tree(url) for url in node.profile_urls()]
    if len(trees) != 1 or trees[0] is None:
        return None
    return _child(trees[0], step)


def _any_matches(steps: list[str], wanted: list[Any]) -> Matcher:
    def matches(item: Any) -> bool:
        return any(
            matches_pattern(value, pattern)
            for value in values_at(item, steps)
            for pattern in wanted
        )

    if len(steps) == 1 and "|" not in steps[0] and all(type(text) is str for text in wanted):
        return _text_matcher(steps[0], frozenset(wanted), matches)
    return matches


def _text_matcher(name: str, wanted: frozenset[str], otherwise: Matcher) -> Matcher:
    """One element that holds one of a few texts (``system``); what else it may be is asked."""
    size = len(name)

    def matches(item: Any) -> bool:
        value = item.get(name) if type(item) is dict else None
        if type(value) is not str:
            return otherwise(item)
        if value in wanted:
            return True
        is_choice = any(len(key) > size and key.startswith(name) for key in item)
        return is_choice and otherwise(item)

    return matches


def _stated(element: Mapping[str, Any]) -> Any:
    fixed = stated_value(element, "fixed")
    return fixed if fixed is not None else stated_value(element, "pattern")


def _child(node: ElementNode, step: str) -> ElementNode | None:
    name, _, url = step.partition("|")
    below = node.children.get(name) or node.children.get(f"{name}[x]")
    if below is None:
        below = next((child for key, child in node.children.items() if _is_form(key, name)), None)
    if below is None or not url:
        return below
    for extension in below.slices.values():
        stated = extension.children.get("url")
        if url in extension.profile_urls() or (stated and _stated(stated.element) == url):
            return extension
    return None


def _exists_matcher(node: ElementNode, steps: list[str]) -> Matcher | None:
    target: ElementNode | None = node
    for step in steps:
        target = _child(target, step) if target else None
    if target is None:
        return None
    if target.element.get("max") == "0":
        return lambda item: next(values_at(item, steps), None) is None
    if target.element.get("min", 0) > 0:
        return lambda item: next(values_at(item, steps), None) is not None
    return None


def _type_matcher(node: ElementNode, steps: list[str]) -> Matcher | None:
    target: ElementNode | None = node
    plain = [step for step in steps if step != "resolve()"]
    for step in plain:
        target = _child(target, step) if target else None
    if target is None:
        return None
    if "resolve()" in steps:
        kinds = target.element.get("type", ())
        allowed = {
            url.rpartition("/")[2] for kind in kinds for url in kind.get("targetProfile", ())
        }
        if not allowed:
            return None
        return Unsure(
            lambda item: any(_target(value) in allowed for value in values_at(item, plain)),
            lambda item: any(_target(value) in ("", *allowed) for value in values_at(item, plain)),
        )
    codes = frozenset(target.type_codes())
    if not codes:
        return None
    if not plain:
        return lambda item: isinstance(item, dict) and item.get("resourceType") in codes
    forms = [f"{plain[-1]}{code[:1].upper()}{code[1:]}" for code in codes]
    return lambda item: any(
        isinstance(holder, dict)
        and (
            any(form in holder for form in forms) or _resource_type(holder.get(plain[-1])) in codes
        )
        for holder in values_at(item, plain[:-1])
    )


def _resource_type(value: Any) -> str:
    return str(value.get("resourceType", "")) if isinstance(value, dict) else ""


def _target(value: Any) -> str:
    """The type of what a reference leads to: by its text, by what is inside the Bundle; "" when unknown."""
    text = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(text, str):
        return str(value.get("type", "")) if isinstance(value, dict) else ""
    reference = parse_reference(text)
    if reference and reference.resource_type:
        return reference.resource_type
    return _resource_type(resolve(text)) or str(value.get("type", ""))


def values_at(value: Any, steps: list[str]) -> Iterator[Any]:
    """The values that `steps` lead to from `value`, lists flattened."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, steps)
        return
    if not steps:
        if value is not None:
            yield value
        return
    if not isinstance(value, dict):
        return
    if steps[0] == "resolve()":
        text = value.get("reference")
        yield from values_at(resolve(text) if isinstance(text, str) else None, steps[1:])
        return
    name, _, url = steps[0].partition("|")
    if url:
        for extension in value.get("extension", ()):
            if isinstance(extension, dict) and extension.get("url") == url:
                yield from values_at(extension, steps[1:])
        return
    for key, item in value.items():
        if key == name or _is_form(key, name):
            yield from values_at(item, steps[1:])


def _is_form(key: str, name: str) -> bool:
    """Whether `key` is a form of choice `name` (``valueCoding`` of ``value``)."""
    return len(key) > len(name) and key.startswith(name) and key[len(name)].isupper()
