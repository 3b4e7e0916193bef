"""People who sign in: accounts, second factors, sessions, and what an account stands for.

Read in this order: `account` (the values), `passwords` and `second_factor` (what is checked),
`delays` (wrong tries wait), `sessions`, `one_time_codes` (set-up links, binding codes),
`accounts` (one store of all of these), `form_token` (forms of our own pages).  Nothing here knows HTTP.
"""

from fhir_bridge.accounts import form_token
from fhir_bridge.accounts.account import Account, Binding
from fhir_bridge.accounts.accounts import Accounts
from fhir_bridge.accounts.channel import write_code_file
from fhir_bridge.accounts.delays import Delays, Limit
from fhir_bridge.accounts.one_time_codes import OneTimeCodes
from fhir_bridge.accounts.passwords import MIN_PASSWORD, Passwords
from fhir_bridge.accounts.sealing import Seal, digest
from fhir_bridge.accounts.second_factor import fresh_totp_secret, totp_address
from fhir_bridge.accounts.sessions import Session, Sessions

__all__ = [
    "MIN_PASSWORD",
    "Account",
    "Accounts",
    "Binding",
    "Delays",
    "Limit",
    "OneTimeCodes",
    "Passwords",
    "Seal",
    "Session",
    "Sessions",
    "digest",
    "form_token",
    "fresh_totp_secret",
    "totp_address",
    "write_code_file",
]
