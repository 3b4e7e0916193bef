"""The pages for people: feeds, quarantine, residents, each resource in readable form.

`pages` holds the routes; `record` (one resident), `monitor` (feeds, quarantine, load) and
`outline` (any resource) collect what a page shows as plain values; `text` says how FHIR values
read in either language.  Everything is read through the `reader`, within the caller's access;
templates escape whatever they are given; no page runs a script or loads anything from elsewhere.
"""

from fhir_bridge.console.monitor.load_rule import LoadRule, read_load_rule
from fhir_bridge.console.monitor.overview import Load, doctor_loads
from fhir_bridge.console.pages.blueprint import create_console, page_language
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.services import Services
from fhir_bridge.console.text.issue_text import in_language

__all__ = [
    "Load",
    "LoadRule",
    "Reader",
    "Services",
    "create_console",
    "doctor_loads",
    "in_language",
    "page_language",
    "read_load_rule",
]
