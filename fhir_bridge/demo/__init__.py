"""A synthetic community as its source systems would send it, and the command that runs it.

"H community" has the shape that a published study of a third-tier city gives it: 13,420
residents, 2,840 of them signed with a family doctor, three family doctors, one community
health centre.  Names, numbers and addresses are invented: every identity number carries a
division code that was never given out.

The files, in reading order:

* facts: ``*.csv`` beside this module, read by ``facts.py``; ``identifiers.py`` builds numbers
  with their check characters;
* people: ``names.py``, ``population.py`` (households and residents), ``community.py``
  (institutions, staff, teams), ``signing.py`` (who signed what with whom),
  ``visits.py`` (what happened at the hospital);
* what the systems emit: ``hospital_messages.py`` and ``referrals.py`` (HL7 v2),
  ``faults.py`` (what goes wrong on the way), ``documents.py`` (CDA),
  ``public_health.py`` and ``contract_system.py`` (tables);
* how they emit it: ``mllp_sender.py``, ``file_drop.py``, ``contract_api.py``, put together
  in ``sources.py``; ``run.py`` is the demo itself.

Promise: the same number of residents and the same seed give the same bytes.
"""
