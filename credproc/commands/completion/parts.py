"""What the completions of all shells are made with."""

from collections.abc import Iterator

from credproc.commands.completion.command_line import Command, Option

# What prints the names of the profiles that a command means, which is named behind it; with CREDPROC_INTERACTIVE=never,
# as credproc says on the terminal what stderr would swallow
NAMES = "CREDPROC_INTERACTIVE=never credproc completion --names"


def valued(commands: list[Command]) -> Iterator[tuple[Command, Option]]:
    """Yield the options that a value follows, with their commands."""
    for command in commands:
        for option in command.options:
            if option.value:
                yield command, option


def below_of(command: Command, commands: list[Command]) -> list[Command]:
    """Return the commands that its actions are."""
    return [one for one in commands if one.name and one.name == f"{command.name} {one.word}".lstrip()]


def filled(template: str, **fields: str) -> str:
    """Return the script; not by ``format``, as shells have braces of their own."""
    text = template.lstrip()
    for name, value in fields.items():
        text = text.replace(f"@{name}@", value)
    return text


def quoted(text: str) -> str:
    """Return the text as one word of a POSIX shell; fish reads a word without backslashes alike."""
    return "'" + text.replace("'", "'\\''") + "'"
