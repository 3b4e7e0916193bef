"""Apps: register, list and end them; rotate the keys that sign identity tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines, print_resource
from fhir_bridge.config import Settings, site_secret

if TYPE_CHECKING:
    from fhir_bridge.smart import App, Smart

__all__ = ["command"]


@click.group("app")
def command() -> None:
    """Register, list and end the apps that may ask people for their records.

    Example: fhir-bridge app add "Blood pressure diary" --redirect https://app.example/back
    """


@command.command("add")
@click.argument("name")
@click.option(
    "--redirect", "redirects", multiple=True, help="Where the app takes answers; may repeat."
)
@click.option(
    "--scope",
    default="openid fhirUser launch/patient patient/*.rs",
    show_default=True,
    help="The most that it may be given.",
)
@click.option(
    "--confidential", is_flag=True, help="It can keep a secret: one is made and printed once."
)
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its public keys (a JWKS file).",
)
@click.option("--jwks-url", default="", help="Where it publishes its public keys.")
@click.option("--system", is_flag=True, help="It may have tokens without a person (needs keys).")
@click.option("--introspects", is_flag=True, help="It may ask about tokens of other apps.")
@click.option("--launches", is_flag=True, help="It may make launch handles for other apps.")
@click.option("--launch-uri", default="", help="Where it is launched from within another system.")
@click.option("--owner", default="", help="Who stands behind it; shown to people who are asked.")
@click.option("--es384", is_flag=True, help="Sign its identity tokens by ES384 instead of RS256.")
@data_options
def add(
    name: str,
    *,
    redirects: tuple[str, ...],
    scope: str,
    confidential: bool,
    jwks: Path | None,
    jwks_url: str,
    es384: bool,
    settings: Settings,
    **said: Any,
) -> int:
    """Register the app NAME and print its client id, and its secret where it has one.

    Without --confidential, --jwks and --jwks-url it is a public app: one that cannot keep a secret.

    Example: fhir-bridge app add "Diary" --redirect https://app.example/back --owner "Example Ltd"
    """
    from fhir_bridge.smart import App

    with _smart(settings) as smart:
        app, secret = smart.apps.register(
            App(
                client_id="",
                name=name,
                kind="asymmetric"
                if jwks or jwks_url
                else "symmetric"
                if confidential
                else "public",
                scopes=scope,
                redirect_uris=redirects,
                jwks=json.loads(jwks.read_bytes()) if jwks else None,
                jwks_url=jwks_url,
                id_token_algorithm="ES384" if es384 else "RS256",
                **said,
            )
        )
        print_resource(_shown(app) | ({"secret": secret} if secret else {}))
    return 0


@command.command("list")
@data_options
def list_apps(settings: Settings) -> int:
    """List the apps, one line each; exit code 1 when there is none.

    Example: fhir-bridge app list
    """
    with _smart(settings) as smart:
        return 0 if print_lines(_shown(each) for each in smart.apps.list()) else 1


@command.command("revoke")
@click.argument("client_id")
@data_options
def revoke(client_id: str, settings: Settings) -> int:
    """End an app: within seconds nothing that it holds works any more.

    Example: fhir-bridge app revoke 0b0c6e6e-6f0a-4c53-9b1e
    """
    with _smart(settings) as smart:
        smart.apps.revoke(client_id)
    return 0


@command.command("rotate-keys")
@data_options
def rotate_keys(settings: Settings) -> int:
    """Let new keys sign identity tokens; the ones before are published for another day.

    Example: fhir-bridge app rotate-keys
    """
    with _smart(settings) as smart:
        print_lines({"kid": kid} for kid in smart.keys.rotate())
    return 0


@contextmanager
def _smart(settings: Settings) -> Iterator[Smart]:
    from fhir_bridge.accounts import Accounts
    from fhir_bridge.clients import fetch_key_set
    from fhir_bridge.fhir import definitions
    from fhir_bridge.smart import Addresses, Smart

    with open_record(settings) as store:
        secret = site_secret(settings)
        yield Smart(
            store.storage,
            secret,
            addresses=Addresses(settings.fhir_base, settings.pages_base),
            accounts=Accounts(store.storage, secret),
            resource_types=definitions().resource_types,
            fetch=fetch_key_set,
        )


def _shown(app: App) -> dict[str, Any]:
    said = {
        "client_id": app.client_id,
        "name": app.name,
        "kind": app.kind,
        "owner": app.owner,
        "scope": app.scopes,
        "redirect_uris": list(app.redirect_uris),
        "launch_uri": app.launch_uri,
        "jwks_uri": app.jwks_url,
        "system": app.system,
        "introspects": app.introspects,
        "launches": app.launches,
        "created": app.created,
        "revoked": app.revoked,
    }
    return {name: value for name, value in said.items() if value not in ("", [], False)}
