"""What doctor looks at, one small function a check; each returns what it has found as values and prints nothing."""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from credproc import log, paths
from credproc.commands.doctor.helper_lines import Line
from credproc.config.files import untrusted_file
from credproc.config.settings import PREFIX, ROLE_NAMES, SETTINGS, SessionStore
from credproc.config.shared_config import Section
from credproc.errors import ConfigError, CredprocError, SessionStoreError, quoted
from credproc.files import make_directory, open_directory
from credproc.plan import Plan
from credproc.plan.endpoint import Endpoint
from credproc.stores import Store

_LAST = 10  # failures
_POSIX = os.name == "posix"
_SKEW_WARNED, _SKEW_REFUSED = 60, 240  # seconds; STS refuses a signature that is more than five minutes off


class Check(NamedTuple):
    """One finding: ``ok``, ``warn`` or ``FAIL``, what there is, and what to do about it."""

    level: str
    what: str
    hint: str | None = None
    more: tuple[str, ...] = ()  # lines that belong to it


def ok(what: str) -> Check:
    """Return that all is well with this."""
    return Check("ok", what)


def warn(what: str, hint: str | None = None) -> Check:
    """Return what may be meant so."""
    return Check("warn", what, hint)


def fail(what: str, hint: str | None = None) -> Check:
    """Return what is wrong."""
    return Check("FAIL", what, hint)


# --- files -----------------------------------------------------------------------------------------------------------


def aws_file(path: str | None, environ: Mapping[str, str], *, secret: bool) -> Check:
    """Check one of the two AWS files; ``secret``: it holds keys, so that others must not even read it."""
    if path is None:
        return fail("there is no home directory, so no AWS files", "set HOME")
    shown = paths.shown(path, environ)
    try:
        status = os.stat(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return ok(f"{shown}: is not there") if secret else warn(f"{shown}: is not there", "the profiles go there")
        return fail(f"{shown}: {(error.strerror or 'cannot be read').lower()}", "check the owner and mode of the file")
    if not os.access(path, os.R_OK):
        return fail(f"{shown}: cannot be read", "check the owner and mode of the file")
    if _POSIX and stat.S_ISREG(status.st_mode):
        if untrusted := untrusted_file(status, shown):
            return fail(f"{shown}: {untrusted.reason}, so they choose what SDKs start", untrusted.hint)
        if secret and status.st_mode & 0o044:
            return fail(f"{shown}: others may read the keys in it", f"chmod 600 {shown}")
        if status.st_mode & 0o020:
            return warn(f"{shown}: its group may write to it, and so choose what SDKs start", f"chmod g-w {shown}")
    return ok(f"{shown}: can be read")


def cache_directory(environ: Mapping[str, str]) -> Check:
    """Check credproc's own directory: that it is there, is ours alone, and takes a file."""
    path = paths.cache_directory(environ)
    hint = "set CREDPROC_CACHE_DIR to a directory of yours that others may not write to"
    if path is None:
        return fail("there is no place for the cache, so every call asks AWS", hint)
    shown = paths.shown(path, environ)
    given = environ.get("CREDPROC_CACHE_DIR")
    if given and not os.path.isabs(given):
        return warn(f"CREDPROC_CACHE_DIR is no absolute path and not used; {shown} is", "write an absolute path")
    try:
        directory = make_directory(path)
    except OSError as error:
        reason = error.strerror or str(error).removeprefix(f"{path}: ")
        return fail(f"{shown}: {reason.lower()}, so nothing is cached and every call asks AWS", hint)
    name = f"doctor-{os.getpid()}"
    try:
        directory.write(name, b"doctor\n")
        directory.remove(name)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        return fail(f"{shown}: {reason}, so nothing is cached and every call asks AWS", hint)
    finally:
        directory.close()
    if _POSIX and os.stat(path).st_mode & 0o077:
        return warn(f"{shown}: others may look into it", f"chmod 700 {shown}")
    return ok(f"{shown}: keeps files")


# --- settings --------------------------------------------------------------------------------------------------------


def beside(section: Section) -> Iterator[Check]:
    """Yield what stands beside a profile's credential_process line and wins over it."""
    for setting in SETTINGS:
        found = section.get(setting.name)
        if found is None or not setting.wins_in:
            continue
        hint = "move it to a profile of its own"
        if setting.name in ROLE_NAMES:
            hint = f"rename it to {PREFIX}{setting.name}, or move it to a profile of its own"
        sdks = ", ".join(setting.wins_in)
        yield fail(f"{found.where}: {setting.name} wins over the credential_process beside it, in {sdks}", hint)


def helper_line(line: Line, program: str | None) -> Iterator[Check]:
    """Yield what is wrong with a credential_process line that starts credproc, for one SDK or another."""
    where, command = line.where, line.command
    write = f"write credential_process = {_own(program) or '/usr/local/bin/credproc'} --profile NAME"
    if line.comment:
        yield fail(
            f"{where}: the comment behind credential_process becomes arguments of it in boto3 and the AWS CLI",
            "put the comment on a line of its own",
        )
    if re.search(r"[\"']" if not _POSIX else r"[\"'\\]", command):
        yield fail(f"{where}: credential_process holds quotes, which SDKs read differently", write)
        return
    if re.search(r"~|\$|%|[|&;<>`(){}*?]", command):
        yield fail(
            f"{where}: credential_process holds what only a shell would expand, and not every SDK starts one", write
        )
        return
    path = command.split()[0] if command.split() else ""
    if not os.path.isabs(path):
        yield warn(f"{where}: credential_process holds no absolute path, so PATH chooses the program", write)
        return
    if not os.path.exists(path):
        yield fail(f"{where}: there is no {path}: has credproc moved?", write)
    elif os.path.isdir(path) or not os.access(path, os.X_OK):
        yield fail(f"{where}: {path} cannot be executed", write)
    elif not _is_own(path, program):
        yield warn(f"{where}: {path} is another credproc than this one", write)


def _own(program: str | None) -> str | None:
    """Return the absolute path of this credproc, or None where it is not known."""
    found = None if program is None else shutil.which(program)
    return None if found is None else os.path.abspath(found)


def _is_own(path: str, program: str | None) -> bool:
    own = _own(program)
    try:
        return own is None or os.path.samefile(path, own)
    except OSError:
        return True  # not known to be another


def without_iam(plan: Plan, subject: str) -> Iterator[Check]:
    """Yield that a session without MFA cannot call IAM (STS API reference, GetSessionToken), where it is one."""
    if plan.is_users_own and plan.mfa is None:
        yield warn(
            f"{subject}: its credentials are a session without MFA, which cannot call IAM",
            "set mfa_serial in it, or name a role in role_arn",
        )


# --- environment -----------------------------------------------------------------------------------------------------


def variables(environ: Mapping[str, str], plans: list[Plan]) -> Iterator[Check]:
    """Yield the variables that lead SDKs, or credproc, elsewhere than the profiles say."""
    is_wanted = any(plan.source.kind == "Environment" for plan in plans)
    if environ.get("AWS_ACCESS_KEY_ID") and not is_wanted:
        yield warn(
            "AWS_ACCESS_KEY_ID is set and wins over AWS_PROFILE in most SDKs: these never start credproc",
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        )
    is_ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").strip().lower() == "true"
    if environ.get("AWS_ENDPOINT_URL") and not environ.get("AWS_ENDPOINT_URL_STS") and not is_ignored:
        yield warn(
            "AWS_ENDPOINT_URL is set and moves STS too",
            "if it is meant for S3 alone: set AWS_ENDPOINT_URL_S3 in its place",
        )


def terminal(unavailable_reason: str | None, environ: Mapping[str, str]) -> Check:
    """Check whether a code could be asked for; ``unavailable_reason`` is what ``terminal`` returns."""
    if environ.get("CREDPROC_INTERACTIVE") == "never":
        return warn("terminal: CREDPROC_INTERACTIVE=never: nobody is asked for a code", "unset CREDPROC_INTERACTIVE")
    if unavailable_reason is not None:
        reason = unavailable_reason.removesuffix(" to ask for it on")
        return warn(f"terminal: {reason}: nobody can be asked for a code here", "run credproc login in a terminal")
    return ok("terminal: a code can be asked for")


# --- keyring and STS -------------------------------------------------------------------------------------------------


def session_store(store: Store) -> Check:
    """Check the place of MFA sessions by writing, reading and deleting a value that is no secret."""
    place = _place(store.kind)
    if place is None:
        return warn("MFA sessions: kept nowhere, so every role costs a code", "unset CREDPROC_SESSION_STORE")
    name, value = f"doctor-{os.urandom(8).hex()}", os.urandom(8).hex()
    began = time.monotonic()
    try:
        store.set(name, value)
        read = store.get(name)
        store.delete(name)
    except SessionStoreError as error:
        return warn(
            f"MFA sessions: {error}",
            "until it works every role costs a code; CREDPROC_SESSION_STORE=file keeps sessions in a private file",
        )
    if read != value:
        return fail(f"MFA sessions: {place} does not give back what it was given", "CREDPROC_SESSION_STORE=file")
    return ok(f"MFA sessions: {place} keeps them (written, read and deleted in {time.monotonic() - began:.2f} s)")


def _place(store: SessionStore) -> str | None:
    match store:
        case "keyring":
            return "the keyring"
        case "file":
            return "a private file"
        case "none":
            return None


def reached(host: str, status: int, seconds: float, proxy: str | None) -> Check:
    """Check an answer of STS, in so many seconds; ``proxy`` is who stands between."""
    through = "" if proxy is None else f" through the proxy {proxy}"
    if status == 407 or status >= 500:
        return fail(f"STS: {host}{through} answers with {status}", "check the proxy, and AWS's health dashboard")
    return ok(f"STS: {host} answers{through} in {seconds:.2f} s")


def clock(date: str | None, now: float) -> Check:
    """Compare the clock, in epoch seconds, with the ``Date`` header of an answer that has just come."""
    try:
        skew = now - parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return warn("clock: the answer of STS does not say what time it is", "something may answer in its place")
    if abs(skew) < _SKEW_WARNED:
        return ok("clock: agrees with the one of STS")
    direction = "ahead of" if skew > 0 else "behind"
    what = f"clock: {abs(skew):.0f} s {direction} the one of STS"
    hint = "set the clock (timedatectl set-ntp true)"
    return (
        fail(f"{what}, which refuses what is off by five minutes", hint)
        if abs(skew) > _SKEW_REFUSED
        else warn(what, hint)
    )


def from_error(error: CredprocError, prefix: str = "") -> Check:
    """Return a failure as what is wrong."""
    return fail(f"{prefix}{error}", error.hint)


def asked(endpoint: Endpoint) -> str:
    """Return which STS is asked, for a person."""
    return endpoint.url or f"STS in {endpoint.region}"


# --- the log ---------------------------------------------------------------------------------------------------------


def last_failures(environ: Mapping[str, str]) -> Check:
    """Return the last failures in the log, oldest first."""
    path = paths.cache_directory(environ)
    found = log.failures(open_directory(path), _LAST)
    place = "the log" if path is None else f"{paths.shown(path, environ)}/{log.NAME}"
    if not found:
        return ok(f"no failures in {place}")
    return Check("warn", f"the last failures in {place} (time, process, profile):", more=tuple(found))


def planned(profile: str, error: ConfigError | None) -> Check:
    """Return whether the profile's settings can be followed."""
    if error is None:
        return ok(f"profile {quoted(profile)}: its settings can be followed")
    return from_error(error, f"profile {quoted(profile)}: ")
