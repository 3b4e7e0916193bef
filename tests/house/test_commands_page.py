"""docs/commands.md is what the commands say of themselves."""

import inspect
from pathlib import Path

import click

from fhir_bridge.cli import cli

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

_OPENING = """# Commands

Printed from the commands' own help (`fhir-bridge COMMAND --help`).

Results go to standard output: JSON, one value a line where there are many. Issues and progress go to
standard error. Exit codes: 0 good, 1 findings (issues, nothing found, a check that fails), 2 misuse.
Settings are environment variables ([settings.md](settings.md)); an option overrides its setting. A file may be
`-` for standard input where a command reads files, and a folder stands for the files in it.
"""


def _commands() -> list[tuple[str, click.Command]]:
    """The commands, each group followed by its own."""
    context = click.Context(cli)
    found = []
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [
                (f"{name} {each}", command.commands[each]) for each in sorted(command.commands)
            ]
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _takes(option: click.Option) -> str:
    """The option with what follows it, in one word that no release of click changes."""
    if option.is_flag:
        return "`" + "`, `".join([*option.opts, *option.secondary_opts]) + "`"
    if isinstance(option.type, click.Choice):
        return f"`{option.opts[0]} {_cell('|'.join(option.type.choices))}`"
    return f"`{option.opts[0]} {option.metavar or option.type.name.upper().split()[0]}`"


def _says(option: click.Option) -> str:
    default = f"Default: {option.default}." if option.show_default else ""
    required = "Required." if option.required else ""
    return _cell(" ".join(filter(None, [option.help, default, required])))


def _section(name: str, command: click.Command) -> str:
    """One command: what it does, how it is called, its options."""
    context = click.Context(command, info_name=f"fhir-bridge {name}")
    options = [each for each in command.params if isinstance(each, click.Option)]
    usage = " ".join(command.collect_usage_pieces(context))
    text, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    calls = f"```\nfhir-bridge {name} {usage}\n\n{example.strip()}\n```"
    rows = [f"| {_takes(each)} | {_says(each)} |" for each in options]
    table = ["| option | effect |", "|---|---|", *rows] if rows else []
    return "\n".join([f"\n## {name}", "", text.strip(), "", calls, *([""] if rows else []), *table])


def commands_page() -> str:
    """docs/commands.md as it should stand."""
    return "\n".join([_OPENING.rstrip(), *(_section(*each) for each in _commands()), ""])


def test_the_page_says_what_the_commands_say(accept):
    """`pytest tests/house --accept` rewrites the page after a change of a command."""
    if accept:
        PAGE.write_text(commands_page(), encoding="utf-8")

    assert commands_page() == PAGE.read_text(encoding="utf-8")


def test_every_option_says_what_it_does():
    """A bare option is a riddle, in --help as on the page."""
    silent = [
        f"{name} {option.opts[0]}"
        for name, command in _commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]

    assert [] == silent
