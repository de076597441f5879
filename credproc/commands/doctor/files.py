"""Checks of files: the two AWS files and the cache directory."""

import os
import stat
import sys
from collections.abc import Mapping

from credproc import paths
from credproc.commands.doctor.check import Check, fail, ok, warn
from credproc.config.files import ACCESS_HINT
from credproc.errors import removing
from credproc.locking.directory import make_own_directory
from credproc.trust import untrusted_file


def aws_file(path: str | None, environ: Mapping[str, str], *, secret: bool) -> Check:
    """Check that one of the AWS files is readable, and that no other user can change what SDKs start.

    ``secret``: the file contains keys, so that other users must not be able to read it either.
    """
    if path is None:
        return fail("the AWS files cannot be located: there is no home directory", f"set {paths.HOME_VARIABLE}")
    shown = paths.shown(path, environ)
    try:
        status = os.stat(path)
    except OSError as error:
        variable = paths.VARIABLES[secret]
        if isinstance(error, FileNotFoundError) and environ.get(variable):
            return warn(f"{variable} names {shown}, which does not exist", f"correct it, or {removing(variable)}")
        if isinstance(error, FileNotFoundError):
            return (
                ok(f"{shown}: does not exist") if secret else warn(f"{shown}: does not exist", "define profiles in it")
            )
        return fail(f"{shown}: {(error.strerror or 'cannot be read').lower()}", ACCESS_HINT)
    if not os.access(path, os.R_OK):
        return fail(f"{shown}: cannot be read", ACCESS_HINT)
    if sys.platform != "win32" and stat.S_ISREG(status.st_mode):
        if untrusted := untrusted_file(status, shown):
            return fail(f"{shown}: {untrusted.reason}, so they choose what SDKs start", untrusted.hint)
        if secret and status.st_mode & 0o044:
            return fail(f"{shown}: other users can read the keys in it", f"chmod 600 {shown}")
        if status.st_mode & 0o020:
            return warn(f"{shown}: its group can write to it, and so choose what SDKs start", f"chmod g-w {shown}")
    return ok(f"{shown}: is readable")


def cache_directory(environ: Mapping[str, str]) -> Check:
    """Check that the cache directory is private and that a file can be written there; create it if necessary."""
    path = paths.cache_directory(environ)
    hint = "set CREDPROC_CACHE_DIR to a directory of yours that others may not write to"
    if path is None:
        return fail("there is no directory for the cache, so every call asks AWS", hint)
    shown = paths.shown(path, environ)
    given = environ.get("CREDPROC_CACHE_DIR")
    if given and not os.path.isabs(given):
        return warn(
            f"CREDPROC_CACHE_DIR is ignored, because it is not an absolute path; the cache is in {shown}",
            "set an absolute path",
        )
    try:
        directory = make_own_directory(environ)
    except OSError as error:
        reason = error.strerror or str(error).removeprefix(f"{path}: ")
        return fail(f"{shown}: {reason.lower()}, so nothing is cached and every call asks AWS", hint)
    path, shown = directory.path, paths.shown(directory.path, environ)
    name = f"doctor-{os.urandom(8).hex()}"
    try:
        directory.write(name, b"doctor\n")
        directory.remove(name)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        return fail(f"{shown}: {reason}, so nothing is cached and every call asks AWS", hint)
    finally:
        directory.close()
    if sys.platform != "win32" and os.stat(path).st_mode & 0o077:
        return warn(f"{shown}: other users can list its files", f"chmod 700 {shown}")
    return ok(f"{shown}: is writable")
