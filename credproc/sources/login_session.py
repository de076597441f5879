"""The sign-in of ``aws login``: the AWS CLI renews and prints its credentials, which are bound to a key that it has."""

import json
import os
from collections.abc import Mapping
from hashlib import sha256

from credproc.credentials import Credentials
from credproc.errors import by_platform, for_shell
from credproc.plan.source import Source
from credproc.process import recursion
from credproc.sources import aws_cli, process
from credproc.sources.children import ChildProcesses

WANTED: aws_cli.Version = (2, 32)  # the first with ``aws login``
_LIMIT = 64 * 1024  # bytes


def fetch(source: Source, environ: Mapping[str, str], children: ChildProcesses) -> Credentials:
    """Return the credentials that the AWS CLI prints for the profile; add the program to ``children``.

    Raises SourceError.
    """
    profile = source.profile or ""
    words = ["configure", "export-credentials", "--profile", profile, "--format", "process"]
    shown = " ".join(map(for_shell, words))
    example = by_platform(posix="/PATH/TO/aws", windows="C:\\PATH\\TO\\aws.exe")
    by_hand = f"or write credential_process = {example} {shown} in a source profile of its own"
    program = aws_cli.find(
        WANTED, f"{source.where}: login_session", environ, f"install or update the AWS CLI, {by_hand}"
    )
    chain = recursion.extend_chain(environ, source.profile, with_identity=False, with_aws_cli=False)
    hint = f"run credproc login {for_shell(profile)}, or aws login --profile {for_shell(profile)}"
    where = f"{source.where}: login_session: aws {shown}"
    return process.printed_by([program, *words], where, chain, children, hints=("check the AWS CLI", hint))


def is_signed_in(source: Source, environ: Mapping[str, str]) -> bool:
    """Return whether ``aws login`` has left a token for the source; whether AWS still takes it, only AWS knows.

    The file is ``~/.aws/login/cache/SHA256.json``, the SHA-256 of the setting (botocore, ``utils.LoginTokenLoader``).
    """
    directory = os.path.expandvars(
        environ.get("AWS_LOGIN_CACHE_DIRECTORY", os.path.join("~", ".aws", "login", "cache"))
    )
    name = sha256(source.field("login_session").encode()).hexdigest() + ".json"
    try:
        with open(os.path.join(os.path.expanduser(directory), name), "rb") as file:
            token = json.loads(file.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(token, dict) and isinstance(token.get("refreshToken"), str)
