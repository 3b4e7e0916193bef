"""Asks other systems over HTTP and puts their answers into the journal.

``pull_source.py`` reads a feed's settings, ``page.py`` fetches one page with patience and
bounds, ``pull.py`` goes through the pages and remembers where it is; ``key_sets.py`` fetches the
keys that a registered app publishes.  The only package that imports requests.
"""

from fhir_bridge.clients.key_sets import fetch_key_set
from fhir_bridge.clients.pull import Pulled, Puller
from fhir_bridge.clients.pull_source import PullSource, read_pull_source

__all__ = ["PullSource", "Pulled", "Puller", "fetch_key_set", "read_pull_source"]
