"""Where people sign in: the pages, and what a verified number says of who stands before them.

Read in this order: `whose` (whose record a number names).
"""

from fhir_bridge.sign_in.whose import STAFF, patient_with, practitioner_with

__all__ = ["STAFF", "patient_with", "practitioner_with"]
