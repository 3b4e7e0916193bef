"""Finds the commands, and turns every trouble into a coded sentence and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from fhir_bridge import clock
from fhir_bridge.cli.printing import print_issues
from fhir_bridge.errors import BridgeError, Issue

__all__ = ["cli", "main"]

_NO_COMMANDS = {"__init__", "group", "ports", "printing", "options"}
_MISUSE = {"FB-9002", "FB-6302", "FB-2104"}


class _Commands(click.Group):
    """The files beside this one; a command is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands by name."""
        stems = (path.stem for path in Path(__file__).parent.glob("*.py"))
        return sorted(stem.replace("_", "-") for stem in stems if stem not in _NO_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"{__package__}.{cmd_name.replace('-', '_')}")
        found = module.command
        assert isinstance(found, click.Command)  # noqa: S101 - a file that breaks the rule is a bug
        return found


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("fhir-bridge"), prog_name="fhir-bridge")
def cli() -> None:
    """FHIR R4 interoperability: hospitals, public health, family-doctor contracts, one record."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit code."""
    sys.exit(_exit_code(list(arguments) if arguments is not None else sys.argv[1:]))


def _exit_code(arguments: list[str]) -> int:
    try:
        answer = cli.main(arguments, prog_name="fhir-bridge", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except BridgeError as error:
        print_issues(error.issues)
        return 2 if error.code in _MISUSE else 1
    except BrokenPipeError:
        # The reader went away (head, less): nothing is wrong, and nothing can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last door before a traceback
        return _unexpected(error)
    return answer if isinstance(answer, int) else 0


def _unexpected(error: Exception) -> int:
    """A fault of ours: a reference for people, the traceback for those who asked for it."""
    reference = clock.fresh_id()[:8]
    print_issues([Issue("FB-9001", "fatal", details={"reference": reference})])
    click.echo(f"{type(error).__name__} ({reference})", err=True)
    logging.getLogger("fhir_bridge").debug("unexpected fault %s", reference, exc_info=error)
    return 1
