"""The parts of one record's authorization server, made once; Authlib comes with the first need."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

from fhir_bridge.accounts import Accounts
from fhir_bridge.database import Storage
from fhir_bridge.smart.apps import Apps
from fhir_bridge.smart.grants import Grants
from fhir_bridge.smart.key_sets import Fetch, KeySets
from fhir_bridge.smart.keys import SigningKeys
from fhir_bridge.smart.launches import GivenConsents, Launches
from fhir_bridge.smart.metadata import Addresses
from fhir_bridge.smart.token_check import TokenCheck

if TYPE_CHECKING:
    from fhir_bridge.smart.identity_token import IdentityTokens
    from fhir_bridge.smart.server import Server

__all__ = ["Smart"]


class Smart:
    """Apps, grants, tokens and keys of one record; `fetch` gets keys that an app publishes."""

    def __init__(
        self,
        storage: Storage,
        secret: bytes,
        *,
        addresses: Addresses,
        accounts: Accounts,
        resource_types: Collection[str],
        fetch: Fetch,
    ) -> None:
        self.addresses, self.accounts, self.resource_types = addresses, accounts, resource_types
        self.apps = Apps(storage, resource_types)
        self.grants = Grants(storage)
        self.launches = Launches(storage)
        self.consents = GivenConsents(storage)
        self.keys = SigningKeys(storage, secret)
        self.tokens = TokenCheck(storage, resource_types)
        self._key_sets = KeySets(fetch)

    @cached_property
    def identity_tokens(self) -> IdentityTokens:
        """What tells apps who a person is."""
        from fhir_bridge.smart.identity_token import IdentityTokens

        return IdentityTokens(self.addresses, self.keys, self.accounts)

    @cached_property
    def server(self) -> Server:
        """The authorization server."""
        from fhir_bridge.smart.assertions import Assertions
        from fhir_bridge.smart.server import Server

        return Server(
            self.addresses,
            apps=self.apps,
            grants=self.grants,
            launches=self.launches,
            accounts=self.accounts,
            assertions=Assertions(self.addresses.endpoint("token"), self._key_sets, self.grants),
            identity_tokens=self.identity_tokens,
            token_check=self.tokens,
            resource_types=self.resource_types,
        )
