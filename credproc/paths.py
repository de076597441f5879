"""The paths of the two AWS files and of credproc's own directory, and the state of a file that others write.

The AWS files are found as the SDKs find them ("AWS SDKs and Tools Reference Guide", "Location of the shared config and
credentials files"); the SDKs' nine test cases are in tests/cases/file-location.json.
"""

import os
import sys

TYPE_CHECKING = False  # typing itself would cost a hit more than all of credproc
if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS = sys.platform == "win32"
_UNSURE_NS = 2_000_000_000  # the coarsest time stamps of a file system (FAT), within which a later edit is not visible
UNSURE = "unsure"
HOME_VARIABLE = "USERPROFILE" if _WINDOWS else "HOME"
VARIABLES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def config_file(environ: "Mapping[str, str]", *, windows: bool = _WINDOWS) -> str | None:
    """Return the path of the config file (``AWS_CONFIG_FILE``, default ``~/.aws/config``), or None with no home."""
    return _aws_file(environ, VARIABLES[0], "config", windows=windows)


def credentials_file(environ: "Mapping[str, str]", *, windows: bool = _WINDOWS) -> str | None:
    """Return the path of the credentials file (``AWS_SHARED_CREDENTIALS_FILE``), or None with no home."""
    return _aws_file(environ, VARIABLES[1], "credentials", windows=windows)


def cache_directory(environ: "Mapping[str, str]", *, platform: str = sys.platform) -> str | None:
    """Return the path of credproc's own directory, or None if no variable or home directory gives one.

    Of the two that ``CREDPROC_CACHE_DIR`` allows it is the one below if that is a directory: locking/directory.py makes
    it one, or a file that keeps it from being one, before anything is stored.
    """
    found = cache_directories(environ, platform=platform)
    return next((path for path in found[1:] if os.path.isdir(path)), found[0] if found else None)


def cache_directories(environ: "Mapping[str, str]", *, platform: str = sys.platform) -> tuple[str, ...]:
    r"""Return the directories in which credproc's own files may be, in the order in which a hit looks into them.

    ``CREDPROC_CACHE_DIR`` and ``credproc`` in it; else ``$XDG_CACHE_HOME/credproc`` or ``~/.cache/credproc``; on macOS
    ``~/Library/Caches/credproc``; on Windows ``%LOCALAPPDATA%\credproc\Cache``. Relative paths are ignored (XDG
    Base Directory Specification: "must be absolute"), because they depend on the caller's working directory.
    """
    own = environ.get("CREDPROC_CACHE_DIR")
    if own and os.path.isabs(own):
        own = own.replace("/", "\\") if platform == "win32" else own
        return own, os.path.join(own, "credproc")
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (f"{local}\\credproc\\Cache",) if local else ()
    xdg = environ.get("XDG_CACHE_HOME")
    if xdg and xdg.startswith("/"):
        return (f"{xdg}/credproc",)
    home = home_directory(environ, windows=False)
    if home is None:
        return ()
    return (f"{home}/Library/Caches/credproc" if platform == "darwin" else f"{home}/.cache/credproc",)


def home_directory(environ: "Mapping[str, str]", *, windows: bool = _WINDOWS) -> str | None:
    """Return the home directory from the environment, else from the user database, else None.

    On Windows ``USERPROFILE`` comes first and ``HOME`` last, as boto3 and the AWS CLI (Python's ``expanduser``) know no
    other home than the user's profile there; SDKs for other languages look at ``HOME`` first.
    """
    home = environ.get("HOME")
    if windows:
        drive, path = environ.get("HOMEDRIVE", ""), environ.get("HOMEPATH")
        return environ.get("USERPROFILE") or (drive + path if path else home) or None
    if home and home.startswith("/"):
        return home
    import pwd  # noqa: PLC0415 - only where HOME is missing or relative

    try:
        home = pwd.getpwuid(os.getuid()).pw_dir  # type: ignore[attr-defined,unused-ignore]  # Windows has returned
    except KeyError:  # a container whose user is not in the database
        return None
    return home if home.startswith("/") else None


def shown(path: str, environ: "Mapping[str, str]") -> str:
    """Return the path with ``~`` for the home directory, for messages."""
    home = home_directory(environ)
    is_below = home and os.path.normcase(path).startswith(os.path.normcase(home) + os.sep)
    return "~" + path[len(home) :] if home and is_below else path


def file_state(path: "str | None", now: float) -> str:
    """Return a file's time stamps, size, inode and device as a string, links followed; "-" if there is no file.

    A file that changed less than two seconds before ``now`` (epoch seconds) can change again with the same time stamps
    (git's "racy" rule); then the state is UNSURE.
    """
    try:
        status = os.stat(path) if path else None
    except (OSError, ValueError):  # a NUL byte is in no path
        status = None
    if status is None:
        return "-"
    if min(abs(now * 1e9 - status.st_mtime_ns), abs(now * 1e9 - status.st_ctime_ns)) < _UNSURE_NS:
        return UNSURE
    return f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_size}.{status.st_ino}.{status.st_dev}"


def _aws_file(environ: "Mapping[str, str]", variable: str, name: str, *, windows: bool) -> str | None:
    path = environ.get(variable)
    home = home_directory(environ, windows=windows)
    separator = "\\" if windows else "/"
    if path:
        if "$" in path or "%" in path:
            path = os.path.expandvars(path)
        if home and path[:1] == "~" and path[1:2] in ("", "/", separator):
            path = home + (path[1:].replace("/", separator) if windows else path[1:])
        return path
    return f"{home}{separator}.aws{separator}{name}" if home else None
