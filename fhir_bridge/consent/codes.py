"""Codes of purposes and security labels, and which of them lie below others.

https://terminology.hl7.org/CodeSystem-v3-ActReason.html (PurposeOfUse),
https://terminology.hl7.org/CodeSystem-v3-ActCode.html (InformationSensitivityPolicy) and
https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html.

A provision about a purpose is about what lies below it as well, but for break-glass: that is never
meant by who says treatment, so it must be named.  Clinical research lies below research alone.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ACT_CODE",
    "ACT_REASON",
    "BREAK_GLASS",
    "CONFIDENTIALITY",
    "LEVELS",
    "Code",
    "covers_label",
    "covers_purpose",
    "labels_below",
]

Code = tuple[str, str]
"""(system, code)."""

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
BREAK_GLASS: Code = (ACT_REASON, "BTG")

LEVELS = ("U", "L", "M", "N", "R", "V")
"""Confidentiality, from the least to the most."""

_PURPOSES = {
    "HOPERAT": "CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP "
    "HQUALIMP HSYSADMIN LABELING MEMADMIN METAMGT MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT "
    "SYSDEV TRAIN",
    "SYSDEV": "HTEST",
    "HPAYMT": "CLMATTCH COVAUTH COVERAGE REMITADV",
    "COVERAGE": "ELIGDTRM ELIGVER ENROLLM MILDCRG",
    "HRESCH": "BIORCH CLINTRCH DSRCH POARCH TRANSRCH",
    "CLINTRCH": "CLINTRCHNPC CLINTRCHPC PRECLINTRCH",
    "PATRQT": "FAMRQT PWATRNY SUPNWK",
    "PUBHLTH": "DISASTER THREAT",
    "TREAT": "COC ETREAT POPHLTH",
    "ETREAT": "BTG ERTREAT",
}
_LABELS = {
    "BH": "COGN DVD EMOTDIS MH PSY PSYTHPN SUD",
    "MH": "PSY PSYTHPN",
    "ETH": "ETHUD OPIOIDUD SUD",
    "SUD": "ETHUD OPIOIDUD",
    "SEX": "STD",
}


def _descendants(children: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """By code, itself and all codes below it."""

    def below(code: str) -> frozenset[str]:
        direct = children.get(code, "").split()
        return frozenset({code}).union(*(below(each) for each in direct))

    codes = {*children, *" ".join(children.values()).split()}
    return {code: below(code) for code in codes}


_BELOW_PURPOSE = _descendants(_PURPOSES)
_BELOW_LABEL = _descendants(_LABELS)


def covers_purpose(stated: Code, asked: Code) -> bool:
    """Whether a provision that states one purpose is about another.

    >>> covers_purpose((ACT_REASON, "TREAT"), (ACT_REASON, "ETREAT"))
    True
    >>> covers_purpose((ACT_REASON, "TREAT"), BREAK_GLASS)
    False
    """
    if asked in (stated, BREAK_GLASS):
        return stated == asked
    (system, code), (asked_system, asked_code) = stated, asked
    return system == asked_system == ACT_REASON and asked_code in _BELOW_PURPOSE.get(code, ())


def labels_below(label: Code) -> frozenset[Code]:
    """A sensitivity label and the narrower ones."""
    system, code = label
    below = _BELOW_LABEL.get(code) if system == ACT_CODE else None
    return frozenset((system, each) for each in below) if below else frozenset({label})


def covers_label(stated: Code, label: Code) -> bool:
    """Whether a provision about one sensitivity label is about another."""
    return stated == label or label in labels_below(stated)
