"""The sign-ins that the AWS CLI has: ``aws sso login`` and ``aws login``, started with the terminal."""

import subprocess
import sys
from collections.abc import Mapping

from credproc.errors import SourceError, for_shell
from credproc.plan.source import Source
from credproc.process.child_environment import environment_for_child
from credproc.sources import aws_cli
from credproc.sources.login_session import WANTED

_WANTED_FOR_SSO: aws_cli.Version = (2, 9)  # the first that knows sso-session sections


def command_for(source: Source) -> list[str] | None:
    """Return the words behind ``aws`` of the command that signs in to the source; None if it needs no such sign-in."""
    profile = source.profile or ""
    match source.kind:
        case "LoginSession":
            return ["login", "--profile", profile]
        case "IdentityCenter":
            session = dict(source.identity).get("sso_session")
            return ["sso", "login", *(["--profile", profile] if session is None else ["--sso-session", session])]
        case _:
            return None


def sign_in(source: Source, environ: Mapping[str, str]) -> None:
    """Run the AWS CLI's sign-in for the source, which has the terminal. Raises SourceError if it does not succeed."""
    words = command_for(source) or []
    shown = " ".join(["aws", *map(for_shell, words)])
    wanted = WANTED if source.kind == "LoginSession" else _WANTED_FOR_SSO
    program = aws_cli.find(wanted, f"login: {shown}", environ)
    executable, arguments = aws_cli.arguments(program, words, environ)
    # Its words go to stderr: what a script reads of our stdout is ours
    ran = subprocess.run(  # noqa: S603 - the AWS CLI of the person who asks for it
        arguments,
        executable=executable,
        env=environment_for_child(environ, with_identity=False),
        stdout=sys.__stderr__,
        check=False,
    )
    if ran.returncode != 0:
        raise SourceError(f"login: {shown} has ended with status {ran.returncode}", "see above what it says")
