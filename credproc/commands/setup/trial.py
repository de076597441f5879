"""The trial after an edit: get the profile's credentials as an SDK would, and ask STS whose they are."""

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from credproc.commands.ui.progress import Progress, show_now
from credproc.config.parser import read
from credproc.errors import CredprocError, for_shell, quoted
from credproc.plan import Plan, plan_for
from credproc.refresh import FOR_PEOPLE, refresh
from credproc.request import Request

_CALL_SECONDS = 10


def try_profile(request: Request, name: str) -> list[str]:
    """Return lines with the ARN that the profile's credentials belong to.

    Raises CredprocError, whose hint says how to undo the edit.
    """
    try:
        arn = _arn(request, name)
    except CredprocError as error:
        undo = f"credproc setup {for_shell(name)} --undo reverts the edit"
        hint = f"{error.hint}; {undo}" if error.hint else undo
        failure = CredprocError(f"setup: the edit was written, but the profile does not work: {error}", hint)
        failure.quotation = error.quotation
        raise failure from None
    return [f"profile {quoted(name)} works: {arn}"]


def try_each(request: Request, plans: Mapping[str, Plan | None]) -> tuple[list[str], int]:
    """Try one profile of each source; return a line for each, and how many do not work.

    On a terminal the lines are written there, each behind what it is about.
    """
    sources: dict[Any, list[str]] = {}
    for name, plan in plans.items():
        sources.setdefault(_source(plan), []).append(name)
    lines, failed = [], 0
    for first, *others in sources.values():
        of = f", and {len(others)} more {'has' if len(others) == 1 else 'have'} the same source" if others else ""
        try:
            said = f"profile {quoted(first)} works: {_arn(request, first)}{of}"
        except CredprocError as error:
            failed += 1
            said = f"profile {quoted(first)} does not work{of}: {error}"
            said += f"; {error.hint}" if error.hint else ""
        lines += show_now([said])
    if failed:
        lines.append("credproc setup NAME --undo reverts the edit of a profile")
    return lines, failed


def next_step(name: str, environ: Mapping[str, str]) -> list[str]:
    """Return a line with what to type next, in the words of the user's shell."""
    if sys.platform == "win32":
        quoted_name = name.replace("'", "''")
        # PROMPT is set by cmd, and not by PowerShell
        in_cmd, in_powershell = f'set "AWS_PROFILE={name}"', f"$Env:AWS_PROFILE = '{quoted_name}'"
        command = in_cmd if environ.get("PROMPT") else in_powershell
    elif os.path.basename(environ.get("SHELL", "")) == "fish":
        command = f"set -gx AWS_PROFILE {for_shell(name)}"
    else:
        command = f"export AWS_PROFILE={for_shell(name)}"
    return [f"next: {command}"]


def _source(plan: Plan | None) -> Any:  # noqa: ANN401 - a key of a dictionary
    """Return what is alike in plans that begin with the same sign-in or keys."""
    if plan is None:
        return None
    identity = dict(plan.source.identity)
    if plan.source.kind == "IdentityCenter":
        return identity.get("sso_session") or identity.get("sso_start_url")
    return plan.source.kind, plan.source.identity


def _arn(request: Request, name: str) -> str:
    """Return the ARN that the profile's credentials belong to. Raises CredprocError."""
    request = request._replace(profile=name, started=time.monotonic())
    progress = Progress()
    progress.show("trying the profile ...")
    try:
        config = read(request.environ, request.clock())
        refreshed = refresh(request._replace(deadlines=FOR_PEOPLE), config)
        progress.show("calling GetCallerIdentity ...")
        from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
        from credproc.aws.sts import Sts  # noqa: PLC0415
        from credproc.credentials import credentials_in  # noqa: PLC0415

        plan = refreshed.plan or plan_for(config, request)
        sts = Sts(plan.endpoint, Settings.of(config, plan.profile, request.environ, _CALL_SECONDS), mfa=False)
        return sts.get_caller_identity(credentials_in(refreshed.document))
    finally:
        progress.end()
