"""People who sign in: make, list, lock and remove accounts; bind them to the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines, print_resource
from fhir_bridge.config import Settings, site_secret

if TYPE_CHECKING:
    from fhir_bridge.accounts import Account, Accounts
    from fhir_bridge.store import Store

__all__ = ["command"]


@click.group("user")
def command() -> None:
    """Make, list, lock and remove the accounts of people who sign in, and bind them.

    Example: fhir-bridge user add li.na --role operator
    """


@command.command("add")
@click.argument("name")
@click.option("--display", default="", help="The name that pages show.")
@click.option("--role", default="", help="A role that needs no record: operator, regulator, ….")
@click.option("--organization", default="", help="Id of the Organization that the role is for.")
@data_options
def add(name: str, *, display: str, role: str, organization: str, settings: Settings) -> int:
    """Make the account NAME and print the one-time link where its person chooses a password.

    What a person is in the record (resident, doctor) comes by "user bind", never by this command.

    Example: fhir-bridge user add li.na --role operator
    """
    from fhir_bridge.accounts import Binding

    with _accounts(settings) as (accounts, _):
        account = accounts.add(name, display=display)
        if role:
            proof = "said by an operator"
            accounts.bind(account.id, Binding(role, "", "", organization, proof))
        link = accounts.codes.set_up_link(account.id)
        print_resource(_shown(accounts.get(account.id)) | {"link": _link(settings, link)})
    return 0


@command.command("list")
@data_options
def list_accounts(settings: Settings) -> int:
    """List the accounts, one line each; exit code 1 when there is none.

    Example: fhir-bridge user list
    """
    with _accounts(settings) as (accounts, _):
        return 0 if print_lines(_shown(each) for each in accounts.list()) else 1


@command.command("lock")
@click.argument("name")
@data_options
def lock(name: str, settings: Settings) -> int:
    """Let nobody sign in as NAME any more; who is signed in is out at once.

    Example: fhir-bridge user lock li.na
    """
    return _set_locked(settings, name, locked=True)


@command.command("unlock")
@click.argument("name")
@data_options
def unlock(name: str, settings: Settings) -> int:
    """Let NAME sign in again, also when wrong tries made it wait.

    Example: fhir-bridge user unlock li.na
    """
    return _set_locked(settings, name, locked=False)


@command.command("reset")
@click.argument("name")
@click.option("--second-factor", is_flag=True, help="Forget the authenticator, too.")
@data_options
def reset(name: str, *, second_factor: bool, settings: Settings) -> int:
    """Print a one-time link where NAME chooses a new password.

    Example: fhir-bridge user reset li.na --second-factor
    """
    with _accounts(settings) as (accounts, _):
        account = accounts.by_name(name)
        if second_factor:
            accounts.set_second_factor(account.id, "")
        print_resource({"link": _link(settings, accounts.codes.set_up_link(account.id))})
    return 0


@command.command("bind")
@click.argument("number")
@click.option("--role", default="resident", show_default=True, help="What it makes of an account.")
@click.option("--staff", is_flag=True, help="NUMBER is a staff number of a Practitioner.")
@click.option("--print", "printed", is_flag=True, help="Print the code; no file is written.")
@data_options
def bind(number: str, *, role: str, staff: bool, printed: bool, settings: Settings) -> int:
    """Make a one-time code for the person whose verified NUMBER it is, to be handed over in person.

    Who signs in types number and code on the page "bind": then the account stands for that Patient, or
    for the offices (PractitionerRole) of that Practitioner. By default the code goes into a file
    in the folder "codes" of the data folder.

    Example: fhir-bridge user bind 11010519491231002X --print
    """
    from fhir_bridge.accounts import write_code_file
    from fhir_bridge.artifacts import Artifacts
    from fhir_bridge.identity import load_rules
    from fhir_bridge.sign_in import patient_with, practitioner_with

    with _accounts(settings) as (accounts, store):
        if staff:
            identifier, bindings, _ = practitioner_with(store, number, role)
        else:
            rules = load_rules(Artifacts(*settings.overlay))
            identifier, binding, _ = patient_with(store, rules, number, role)
            bindings = [binding]
        codes = [accounts.codes.binding_code(identifier, each) for each in bindings]
    whom = f"…{number[-4:]}"
    if printed:
        print_lines({"for": whom, "code": code} for code in codes)
    else:
        folder = settings.data / "codes"
        print_lines({"file": str(write_code_file(folder, whom=whom, code=code))} for code in codes)
    return 0


@command.command("remove")
@click.argument("name")
@data_options
def remove(name: str, settings: Settings) -> int:
    """Forget the account NAME.

    Example: fhir-bridge user remove li.na
    """
    with _accounts(settings) as (accounts, _):
        accounts.remove(accounts.by_name(name).id)
    return 0


@contextmanager
def _accounts(settings: Settings) -> Iterator[tuple[Accounts, Store]]:
    from fhir_bridge.accounts import Accounts

    with open_record(settings) as store:
        yield Accounts(store.storage, site_secret(settings)), store


def _set_locked(settings: Settings, name: str, *, locked: bool) -> int:
    with _accounts(settings) as (accounts, _):
        account = accounts.by_name(name)
        accounts.lock(account.id, locked=locked)
        print_resource(_shown(accounts.get(account.id)))
    return 0


def _link(settings: Settings, secret: str) -> str:
    return f"{settings.pages_base}/sign-in/set-up?link={secret}"


def _shown(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "display": account.display,
        "created": account.created,
        "locked": account.locked,
        "password": account.has_password,
        "secondFactor": account.second_factor,
        "is": [
            {
                name: value
                for name, value in (
                    ("role", each.role),
                    ("patient", each.patient),
                    ("practitioner", each.practitioner),
                    ("organization", each.organization),
                    ("proof", each.proof),
                )
                if value
            }
            for each in account.bindings
        ],
    }
