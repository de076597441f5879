"""The environment of programs that credproc starts: the user's, and of AWS's variables what that kind of program needs.

=================== ====================================================================================================
a source's program  all of it: SDKs start it so, and it may answer by any variable
``mfa_process``     no variable that holds credentials or leads to some: a code needs none
a prompt's window   the same
the browser         the same
``exec``'s command  the profile's credentials, and none that hold or lead to others, which some SDKs ask first
=================== ====================================================================================================

Nothing else is started: the watchdog of a prompt is a fork of this process, and the keyring is reached by D-Bus.

The bootloader of the frozen program puts the program's directory first in the dynamic loader's search path: a child
that inherits the path loads our OpenSSL instead of its own. The bootloader also sets variables that it reads in child
processes and that would mislead another frozen program.
"""

import sys
from collections.abc import Mapping

_SEARCH_PATH = "LD_LIBRARY_PATH"  # the bootloaders of macOS and Windows set none
_ORIGINAL = "LD_LIBRARY_PATH_ORIG"  # the value that the bootloader found (PyInstaller manual, "Bootloader")
_BOOTLOADER_PREFIXES = ("_PYI_", "_MEIPASS2")
# What holds keys and tokens: the SDKs' names of today, their older ones (AWS SDK for Java 1, JavaScript 2 and Ruby),
# and those of the EC2 tools, which Ansible and others still read
_HOLDING = frozenset(
    (
        "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN"
        " AWS_ACCESS_KEY AWS_SECRET_KEY AWS_SECURITY_TOKEN AWS_DELEGATION_TOKEN"
        " AMAZON_ACCESS_KEY_ID AMAZON_SECRET_ACCESS_KEY AMAZON_SESSION_TOKEN"
        " EC2_ACCESS_KEY EC2_SECRET_KEY EC2_SECURITY_TOKEN"
    ).split()
)
_BEARER_PREFIX = "AWS_BEARER_TOKEN_"  # and a service's name: AWS_BEARER_TOKEN_BEDROCK
# What leads to credentials: a role and the file with its token, an endpoint, a file with keys, another profile
_LEADING = frozenset(
    (
        "AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
        " AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI"
        " AWS_CREDENTIAL_FILE EC2_CERT EC2_PRIVATE_KEY"
    ).split()
)
_PUBLIC = frozenset(("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AMAZON_ACCESS_KEY_ID", "EC2_ACCESS_KEY"))


def is_secret(variable: str) -> bool:
    """Return whether the variable's value is a secret key or a token."""
    return (variable in _HOLDING or variable.startswith(_BEARER_PREFIX)) and variable not in _PUBLIC


def is_identity(variable: str) -> bool:
    """Return whether the variable holds credentials of AWS, or leads to some."""
    return variable in _HOLDING or variable in _LEADING or variable.startswith(_BEARER_PREFIX)


def environment_for_child(
    environ: Mapping[str, str], *, with_identity: bool, program_directory: str | None = None
) -> dict[str, str]:
    """Return the environment for another program, made from that of this process.

    ``with_identity`` is whether it gets the variables that hold credentials or lead to some. ``program_directory`` is
    the directory of the frozen program (default: of this one). An ordinary Python has none.
    """
    passed = {name: value for name, value in environ.items() if with_identity or not is_identity(name)}
    program_directory = program_directory or getattr(sys, "_MEIPASS", None)
    if program_directory is None:
        return passed
    passed = {name: value for name, value in passed.items() if not name.startswith(_BOOTLOADER_PREFIXES)}
    path = passed.get(_SEARCH_PATH, "")
    if path == program_directory or path.startswith(f"{program_directory}:"):
        # Not the value of _ORIGINAL: the bootloader does not remove one that it inherits when it finds no search path
        original = passed.pop(_SEARCH_PATH)[len(program_directory) + 1 :]
        if original:
            passed[_SEARCH_PATH] = original
            passed.pop(_ORIGINAL, None)
    return passed
