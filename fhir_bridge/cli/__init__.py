"""The commands: ``fhir-bridge COMMAND``.

One command, one file, found by its name: ``<command>.py`` holds a click command called
``command`` (a dash in the name is an underscore in the file).  ``group.py`` finds them,
``printing.py`` says how results and issues leave, ``sites.py`` opens what a command works on.

Exit codes: 0 good, 1 findings (issues, nothing found, a check that fails), 2 misuse.
Results go to standard output (JSON, NDJSON when it is many things), issues and progress to
standard error.
"""

from fhir_bridge.cli.group import cli, main

__all__ = ["cli", "main"]
