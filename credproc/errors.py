"""The errors that credproc raises. Each has a message for a person and, if something can be done, a hint.

``str(error)`` is ``<where>: <what>``, lower case, without a full stop and without secrets. ``hint`` says what to do.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing costs a hit more than all that it needs of this module
    from typing import Literal

    # Why nobody gave what was asked for. The caller has gone (withdrawn), the prompt was declined (cancelled, wrong,
    # late), or there was none: without a terminal (and without a window, where one is wanted), with too little time
    # left, or while credentials are left
    PersonNeededKind = Literal[
        "no terminal", "no window", "withdrawn", "cancelled", "wrong", "late", "no time", "not asked"
    ]


class CredprocError(Exception):
    """A failure with a message for a person; the base class of all failures that credproc reports."""

    exit_code = 1
    was_shown = False  # whether the terminal has said it already
    was_asked = False  # whether this run has shown a prompt, so that a person is at the terminal
    is_answer = False  # whether nothing has failed: a person has said no
    quotation = ""  # what another program said of it: for stderr alone, as it may hold a secret

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Store the message (``where: what``) and the hint."""
        super().__init__(message)
        self.hint = hint


class UsageError(CredprocError):
    """The command line is not valid."""

    exit_code = 2


class ConfigError(CredprocError):
    """A setting in the two AWS files or a variable is missing or not valid."""


class SourceError(CredprocError):
    """The source of the credentials (a file, a program, an endpoint) does not return any."""


class ServiceError(CredprocError):
    """AWS returned an error, or a response that cannot be used."""

    is_refusal = False  # whether AWS has said no, so that what was asked for has not been done

    def __init__(self, message: str, hint: str | None = None, code: str = "") -> None:
        """Store also AWS's error code (``AccessDenied``), by which callers decide."""
        super().__init__(message, hint)
        self.code = code


class TokenCodeError(ServiceError):
    """STS rejected the MFA code: it was wrong, expired, or already used."""


class NetworkError(CredprocError):
    """No response arrived, or not in time."""


class DeadlineError(CredprocError):
    """A deadline passed before the call returned."""


class PersonNeededError(CredprocError):
    """Only a person can go on, and none could be asked, or they declined."""

    exit_code = 3

    def __init__(self, message: str, hint: str | None = None, kind: "PersonNeededKind" = "no terminal") -> None:
        """Take also the kind, for those who wait for the same person.

        It is ``no terminal``, ``withdrawn`` (the caller has gone), or a refusal: ``cancelled``, ``wrong``, ``late``.
        """
        super().__init__(message, hint)
        self.kind = kind
        self.was_shown = kind == "withdrawn"  # by the prompt itself
        self.declined_at: float | None = None  # epoch seconds; of a refusal that another run has met with

    @property
    def is_declined(self) -> bool:
        """Whether somebody did not want to give a code, mistyped it, or need not give one."""
        return self.kind in ("cancelled", "wrong", "not asked")


class SignalError(Exception):
    """A signal came while a prompt was up; the process ends by it once the terminal is restored.

    It is no CredprocError: whoever handles a failure, by serving old credentials for example, must not handle this.
    """

    def __init__(self, number: int, message: str = "ended by a signal", kind: "PersonNeededKind" = "withdrawn") -> None:
        """Take the signal's number, and the message and kind that other runs see.

        ``cancelled`` is the kind of those that a person sends from the keyboard.
        """
        super().__init__(message)
        self.number = number
        self.declined = PersonNeededError(message, kind=kind)  # the same for the log and for runs that wait


class SessionStoreError(CredprocError):
    """A session store, such as the keyring, failed; that it contains no session is no error."""

    has_answered = True  # False: it may carry the call out all the same


_SHOWN_NAME = 80  # characters of a profile name in a message


def quoted(name: str) -> str:
    """Return a profile's name for a message: in quotes, inert, at most 80 characters."""
    text = inert(repr(name))
    return text if len(text) <= _SHOWN_NAME else text[: _SHOWN_NAME - 4] + "...'"


def for_shell(name: str, platform: str = sys.platform) -> str:
    """Return a name as one argument of a command that a person can copy, for a shell or a line of the config file."""
    import shlex  # noqa: PLC0415 - only for a message

    text = shlex.quote(name)
    return text if text == name or platform != "win32" else f'"{name}"'  # where single quotes mean nothing


def by_platform(*, posix: str, windows: str, macos: str | None = None, platform: str = sys.platform) -> str:
    """Return the words of a message for this system; those for macOS are the ones for POSIX if it has no own."""
    if platform == "win32":
        return windows
    return posix if macos is None or platform != "darwin" else macos


def removing(*variables: str, platform: str = sys.platform) -> str:
    """Return the words of a hint to remove variables from the environment."""
    *others, last = variables
    listed = f"s {', '.join(others)} and {last}" if others else f" {last}"
    return by_platform(posix=f"unset {' '.join(variables)}", windows=f"remove the variable{listed}", platform=platform)


def inert(text: str, limit: int | None = None) -> str:
    """Return the text on one line, with all escaped that is no glyph or that the terminal cannot show (``glyphs``).

    Text passes here where it leaves for people: stdout of a command (``commands.ui.output``), stderr (``cli``), the
    terminal and the log. ``limit`` is in characters, three at least; a longer text is cut and ends in three dots.
    """
    if text.isascii() and text.isprintable() and (limit is None or len(text) <= limit):
        return text
    from credproc.glyphs import escaped  # noqa: PLC0415 - only for a message

    shown = escaped(text[: limit + 1 if limit else None])
    return shown if limit is None or len(shown) <= limit else shown[: limit - 3] + "..."


EXAMPLE_PROGRAM = by_platform(posix="/usr/local/bin/credproc", windows="C:\\PROGRA~1\\credproc\\credproc.exe")
CONFIG_FILE = by_platform(posix="~/.aws/config", windows="~\\.aws\\config")
CREDENTIALS_FILE = by_platform(posix="~/.aws/credentials", windows="~\\.aws\\credentials")
CLOCK_HINT = by_platform(
    posix="set the clock (timedatectl set-ntp true)",
    macos="set the clock (sudo sntp -sS time.apple.com)",
    windows="set the clock (w32tm /resync)",
)
