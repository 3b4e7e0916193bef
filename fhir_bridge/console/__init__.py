"""The pages for people: feeds, quarantine, residents, each resource in readable form.

``pages.py`` holds the routes, in the order of the menu; ``overview.py``, ``record.py`` with
``contract_view.py`` and ``plot.py``, ``quarantine.py`` and ``readable.py`` gather what a page
shows as plain values; ``display.py`` and ``terms.py`` say how FHIR values read; ``language.py``
holds the words.  Everything is read through the store's and the search's doors, within the
caller's access; templates escape whatever they are given; no page runs a script or loads
anything from elsewhere.
"""

from fhir_bridge.console.issue_text import in_language
from fhir_bridge.console.load_rule import LoadRule, read_load_rule
from fhir_bridge.console.overview import Load, doctor_loads
from fhir_bridge.console.pages import create_console
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.services import Services

__all__ = [
    "Load",
    "LoadRule",
    "Reader",
    "Services",
    "create_console",
    "doctor_loads",
    "in_language",
    "read_load_rule",
]
