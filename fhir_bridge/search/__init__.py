"""FHIR search, without a database: parameters, index rows, and plans that a store answers.

Read in this order: `registry` (which parameters a type has, and how each is answered), `types`
(one file a type: what a value means, what a resource contributes), `parse` with `criteria`,
`escaping`, `compiling`, `filter_text`, `filter_conditions` and `directives` (a search checked),
`conditions` and `plan` (the search as values), `indexer` (a resource's index rows), `folding` and
`pinyin` (what counts as the same text).
"""

from fhir_bridge.search.canonical import canonicals, references
from fhir_bridge.search.directives import Directives, Include, Sort
from fhir_bridge.search.folding import fold
from fhir_bridge.search.indexer import Indexer
from fhir_bridge.search.parse import Search, parse_search
from fhir_bridge.search.pinyin import name_forms
from fhir_bridge.search.plan import Plan, plan
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types import interval

__all__ = [
    "Directives",
    "Include",
    "IndexRows",
    "Indexer",
    "Plan",
    "Registry",
    "Search",
    "Sort",
    "canonicals",
    "fold",
    "interval",
    "name_forms",
    "parse_search",
    "plan",
    "references",
]
