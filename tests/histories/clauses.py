"""The clauses of the rule of update, each with a way to switch it off in the product.

The property test means nothing unless it would notice: with each of these switched off, a
history must fail (`test_clauses`).  A switch replaces a function of the product, or gives it
other data, for the time of a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fhir_bridge.identity import linker, operations, rules
from fhir_bridge.identity.keys import PersonKeys
from fhir_bridge.ingest import containers, name_entry, resolve, spoken_entry, stating
from fhir_bridge.ingest.operations import Operations
from fhir_bridge.ingest.settle import settle
from fhir_bridge.update import (
    UpdateRules,
    fold,
    marked,
    merge,
    slots,
    stamp,
    statement,
    statement_of,
)

__all__ = ["CLAUSES", "Clause"]

persons = import_module("fhir_bridge.identity.fold")  # the package's `fold` is the function
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: its words, and what switches it off."""

    words: str
    off: Callable[[], AbstractContextManager[Any]] = nullcontext
    data: tuple[str, str, str] | None = None
    """A file of the product's data, and which text in it is another one."""
    seed: int = 0
    """A history that fails without the clause: tried first, then all others in turn."""

    def write(self, overlay: Path) -> bool:
        """Puts changed data where a site's own stand; whether there are any."""
        if self.data is not None:
            name, old, new = self.data
            text = (_ROOT / name).read_text(encoding="utf-8")
            assert old in text, f"{name} has no {old} any more"
            (overlay / name).parent.mkdir(parents=True, exist_ok=True)
            (overlay / name).write_text(text.replace(old, new), encoding="utf-8")
        return self.data is not None


def _replaced(*places: tuple[Any, str], by: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Switches that put `by` in the place of functions or methods."""

    @contextmanager
    def off() -> Iterator[None]:
        with ExitStack() as patches:
            for place, name in places:
                patches.enter_context(patch.object(place, name, by))
            slots._places.cache_clear()  # what was worked out with the clause on
            try:
                yield
            finally:
                slots._places.cache_clear()

    return off


def _operation(url: str) -> Callable[[], AbstractContextManager[Any]]:
    """Switches that have an operation on persons change nothing."""
    nothing = (lambda deciding, given: None, ())
    return lambda: patch.dict(operations._OPERATIONS, {url: nothing})


_MERGES = ((stating, "merge"), (linker, "merge"))
_SAYINGS = ((stating, "statement_of"), (linker, "statement_of"))
_FOLDS = ((stating, "fold"), (persons, "fold_said"))


def _only_the_last(known: Any, new: Any) -> Any:
    return replace(new, since=known.since)


def _nulls_forgotten(known: Any, new: Any) -> Any:
    return replace(merge(known, new), nulls=frozenset())


def _without_nulls(*given: Any, **named: Any) -> Any:
    return replace(statement_of(*given, **named), nulls=frozenset())


def _plain_is_stated(value: Any) -> Any:
    plain = marked.unmarked(value) if type(value) is list else marked.unmarked_properties(value)
    return plain._replace(is_usual=False, is_instead=False)


def _newest_alone(kind: str, id_: str, statements: Any, rules: UpdateRules) -> Any:
    return fold(kind, id_, [max(statements, key=lambda each: each.at)], rules)


def _nulls_of_all(kind: str, id_: str, statements: Any, rules: UpdateRules) -> Any:
    gone = {slot for each in statements for slot in each.nulls}
    kept = [
        replace(each, slots={k: v for k, v in each.slots.items() if k not in gone})
        for each in statements
    ]
    return fold(kind, id_, kept, rules)


def _references_as_sent(resource: Any, places: Any, owner: str, met: Any) -> frozenset[str]:
    return settle(resource, {}, owner, met)


CLAUSES = {
    "absent-keeps": Clause(
        "What a message does not say stays.", _replaced(*_MERGES, by=_only_the_last)
    ),
    "null-takes-back": Clause(
        "A null takes the source's own word back.", _replaced(*_SAYINGS, by=_without_nulls)
    ),
    "null-keeps-its-time": Clause(
        "What was taken back does not return with an older message.",
        _replaced(*_MERGES, by=_nulls_forgotten),
        seed=6,
    ),
    "null-uncovers": Clause(
        "A null of one source does not hide what another one says.",
        _replaced(*_FOLDS, by=_nulls_of_all),
        seed=75,
    ),
    "other-sources-stay": Clause(
        "A new word replaces nothing that another source said.",
        _replaced(*_FOLDS, by=_newest_alone),
    ),
    "older-never-replaces": Clause(
        "An older word never replaces a newer one.",
        _replaced((statement, "_replaces"), by=lambda known, new, slot: True),
        seed=4,
    ),
    "event-time-orders": Clause(
        "The event's own time orders what a source says, not the arrival.",
        _replaced((spoken_entry, "event_time"), by=lambda bundle, received: received),
        seed=4,
    ),
    "receipt-decides": Clause(
        "Of two words of one moment the one received later counts.",
        _replaced((resolve, "stamp"), by=lambda at, receipt: stamp(at)),
        seed=75,
    ),
    "usual-is-no-word": Clause(
        "What a map supposes never replaces what was said.",
        _replaced((statement, "unmarked"), (statement, "unmarked_properties"), by=_plain_is_stated),
        seed=10,
    ),
    "mention-adds": Clause(
        "A mention changes no description.",
        _replaced((resolve, "find_mentions"), by=lambda feed, *types: ()),
        seed=1,
    ),
    "items-by-identity": Clause(
        "Items of a list are told apart by what they are.",
        _replaced((UpdateRules, "paths"), by=lambda self, element, type_name: ()),
        seed=14,
    ),
    "ends-of-a-period": Clause(
        "The end of a period leaves its start.",
        _replaced((slots, "_is_parted"), by=lambda element, rules: False),
        seed=37,
    ),
    "one-statement": Clause(
        "A corrected value takes the flag of the old one with it.",
        _replaced((UpdateRules, "group"), by=lambda self, kind, element: element),
        seed=88,
    ),
    "container-lets-go": Clause(
        "What a newer whole no longer names is taken back.",
        _replaced((containers.Containers, "_let_go"), by=lambda self, row, parts: None),
        seed=20,
    ),
    "older-whole-never-wins": Clause(
        "An older whole never wins.",
        _replaced((containers.Containers, "_is_newest"), by=lambda self, new, known: True),
        seed=66,
    ),
    "references-lead-somewhere": Clause(
        "A reference is final before it is stored.",
        _replaced((resolve, "settle"), by=_references_as_sent),
    ),
    "numbers-name-things": Clause(
        "A thing with a number is the same thing when it is spoken of again.",
        _replaced((name_entry, "entry_id"), by=lambda entry, resource, owner: None),
    ),
    "order-of-trust": Clause(
        "Of two sources that differ the more trusted one shows.",
        data=(
            "mappings/identity.toml",
            '["public-health", "contract", "hospital"]',
            '["hospital", "contract", "public-health"]',
        ),
        seed=5,
    ),
    "verified-numbers-link": Clause(
        "A verified number joins what two sources say of a person.",
        _replaced((PersonKeys, "verified"), by=lambda self, patient: []),
        seed=253,
    ),
    "local-numbers-identify": Clause(
        "Within one authority the local number identifies.",
        _replaced((PersonKeys, "numbers"), by=lambda self, patient: ([], [])),
    ),
    "correction-is-taken": Clause(
        "A corrected name or birth date is taken.",
        _replaced((rules.Corrections, "may_correct"), by=lambda self, feed, event: False),
    ),
    "overlay-is-held-apart": Clause(
        "A number given to somebody else joins nobody.",
        _replaced((rules.Corrections, "is_overlay"), by=lambda self, changed, stated: False),
        seed=4,
    ),
    "merge-joins": Clause(
        "A merge joins the two persons that it names by number.",
        _operation("Patient/$merge"),
        seed=2,
    ),
    "move-moves": Clause(
        "A visit that moved is the other person's, with what hangs on it.",
        _replaced((Operations, "_move"), by=lambda self, *given: None),
    ),
    "cancel-cancels": Clause(
        "A cancelled admission is cancelled.",
        data=("mappings/conceptmaps/v2/v2-0003-encounter-status.json", '"A11"', '"A11-"'),
    ),
    "order-is-revoked": Clause(
        "A cancelled order is revoked.",
        data=("mappings/conceptmaps/v2/v2-0119-request-status.json", '"CA"', '"CA-"'),
        seed=4,
    ),
    "result-is-deleted": Clause(
        "A result that was deleted is no result.",
        data=("mappings/conceptmaps/v2/v2-0085-observation-status.json", '"D"', '"D-"'),
        seed=56,
    ),
    "document-is-void": Clause(
        "A cancelled document is void.",
        data=("mappings/v2/segments/TXA.map", "(c2 = 'T11')", "(c2 = 'T99')"),
        seed=21,
    ),
    "document-is-replaced": Clause(
        "A document that was replaced says so.",
        data=(
            "mappings/v2/segments/TXA.map",
            "document.status = 'superseded' then",
            "document.status = 'current' then",
        ),
        seed=4,
    ),
    "appointment-is-cancelled": Clause(
        "A cancelled appointment is cancelled.",
        data=("mappings/conceptmaps/v2/v2-0003-appointment-status.json", '"S15"', '"S15-"'),
        seed=11,
    ),
    "agreement-ends": Clause(
        "An agreement that ended is terminated.",
        data=(
            "mappings/conceptmaps/family-doctor/sign-state-contract-status.json",
            '"terminated"',
            '"executed"',
        ),
        seed=3,
    ),
}
