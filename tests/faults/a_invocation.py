"""A. Invocation and environment."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, row
from tests.faults.scene import NOBODY, as_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.scene import Result, Scene

_ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
_NO_MACHINE = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}
_CONFIG, _CREDENTIALS = "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"
_STRACE = ("strace", "-f", "-qq", "-s", "4096", "-o", "trace", "-e", "trace=%file,%network")
_LONG = "x" * 10_000
_NO_HOME = ("env", "-u", "HOME")
_STRANGER = 54321  # a user without an entry in the user database
_HASHED = re.compile(r"[0-9a-f]{32}\.(entry|entry\.lock)|credproc\.log")


# --- F001 to F009: names --------------------------------------------------------------------------------------------


def _without_files(scene: Scene) -> None:
    (scene.home.path / ".aws" / "config").unlink()
    (scene.home.path / ".aws" / "credentials").unlink()


def _with_files(scene: Scene) -> None:
    scene.config()
    scene.home.keys("user1", scene.user)


def _untouched(scene: Scene, _result: Result) -> None:
    assert not scene.cache.exists()
    assert not scene.cache.parent.exists()


def _nothing_but_text(scene: Scene, result: Result) -> None:
    trace = (scene.work / "trace").read_text()
    assert "exited with 0" in trace or result.status == 0
    assert result.stdout.startswith((b"credproc ", b"usage: "))
    made = re.findall(r"^.*(?:O_CREAT|mkdir|mknod|rename|symlink).*$", trace, re.MULTILINE)
    assert not made, made
    assert "AF_INET" not in trace, "it talks to the network"
    assert "/botocore/" not in trace, "it imports botocore"
    assert os.listdir(scene.work) == ["trace"]


def _text(arguments: str, name: str, *wrapper: str, nobody: bool = False) -> Case:
    words = (*wrapper, *_STRACE)
    return Case(
        name,
        Kind.TEXT,
        arguments=tuple(arguments.split()),
        wrapper=words,
        nobody=nobody,
        calls=0,
        check=_nothing_but_text,
    )


def _short(scene: Scene, result: Result) -> None:
    assert not re.search(r"x{81}|\xe9{81}", result.said), result.said[:500]
    assert not re.search(r"x{81}|(\\xe9){81}", scene.home.log), scene.home.log[:500]


def _named(name: str) -> Callable[[Scene], None]:
    return lambda scene: scene.config(
        other=f"[profile {name}]\nsource_profile = user1\nrole_arn = {scene.role.arn}\n"
        f"external_id = {scene.external_id}\n"
    )


def _hashes(scene: Scene, _result: Result) -> None:
    strange = [path.name for path in scene.cache.iterdir() if not _HASHED.fullmatch(path.name)]
    assert not strange, strange
    assert os.listdir(scene.work) == []
    assert sorted(os.listdir(scene.path)) == ["home", "work"]


def _odd(name: str, header: str = "") -> Case:
    there = bool(header)
    return Case(
        ascii(name),
        Kind.DOCUMENT if there else Kind.PROFILE,
        before=_named(header) if there else lambda _scene: None,
        arguments=("--profile", name),
        says="" if there else "no profile named",
        check=_hashes,
        calls=int(there),
    )


def _ascii_only(_scene: Scene, result: Result) -> None:
    assert result.stderr.isascii(), result.said
    assert "UnicodeError" not in result.said


def _unnamed(identifier: str) -> str:
    return rf"no profile named '{identifier}'"


_COMPOSED, _DECOMPOSED = "\u00e9", "e\u0301"


def _moved_config(scene: Scene) -> None:
    (scene.home.path / ".aws" / "config").rename(scene.home.path / ".aws" / "caf\u00e9")


def _config_back(scene: Scene) -> None:
    (scene.home.path / ".aws" / "caf\u00e9").rename(scene.home.path / ".aws" / "config")


# --- F010 to F015: homes and directories ------------------------------------------------------------------------


def _user_database(scene: Scene) -> None:
    """Write one in which the home of root is that of the scene; _IN_IT lets a run see it."""
    (scene.path / "passwd").write_text(f"root:x:0:0:root:{scene.home.path}:/bin/sh\n")


_IN_IT = ("unshare", "-m", "sh", "-c", 'mount --bind ../passwd /etc/passwd && exec "$@"', "sh")


def _kept_at_home(scene: Scene, _result: Result) -> None:
    assert len(scene.home.entries) == 1, "it is not kept below the home directory"
    assert os.listdir(scene.work) == []


def _kept_nowhere(scene: Scene, _result: Result) -> None:
    _untouched(scene, _result)
    assert os.listdir(scene.work) == []


_FILES = {_CONFIG: "../home/.aws/config", _CREDENTIALS: "../home/.aws/credentials"}


def _files_of(uid: int) -> Callable[[Scene], None]:
    return lambda scene: scene.hand_over(scene.home.path / ".aws" / "credentials", uid)


def _homes(name: str, home: str, *, nobody: bool = False) -> Case:
    wrapper = _in(f'export HOME="{home}"')
    return Case(name, environ=_FILES, wrapper=wrapper, nobody=nobody, check=_kept_nowhere)


def _in(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script + ' && exec "$@"', "sh")


def _of_another(scene: Scene) -> None:
    scene.hand_over(scene.home.path, 1000)


def _of_another_who_used_it(scene: Scene) -> None:
    scene.warm()
    _of_another(scene)


def _nothing_of_roots(scene: Scene, _result: Result) -> None:
    ours = [path for path in scene.home.path.rglob("*") if path.lstat().st_uid == 0]
    assert not ours, f"files of root: {ours}"


_DELETED = _in("mkdir gone && cd gone && rmdir ../gone")
_DEAD = ("unshare", "-m", *_in("mkdir -p mount && mount -t tmpfs none mount && cd mount && umount -l ../mount"))


def _settled(scene: Scene) -> None:
    scene.home.settle()
    scene.warm()


# --- F016, F017: limits -----------------------------------------------------------------------------------------

_OPEN = (
    sys.executable,
    "-c",
    "import os, sys; [os.dup2(0, n) for n in range(3, 101)]; os.execvp(sys.argv[1], sys.argv[1:])",
)


def _one_line(_scene: Scene, result: Result) -> None:
    assert result.stderr.count(b"credproc: error: ") == bool(result.status), result.said
    assert len(result.stderr) < 4096


def _limited(option: str, *kinds: Kind, nobody: bool = False, deep: bool = False) -> Case:
    return Case(
        option.strip("-"),
        kinds or Kind.DOCUMENT,
        wrapper=("prlimit", option),
        says="^credproc: error: " if kinds else "",
        nobody=nobody,
        check=_one_line,
        deep=deep,
    )


# --- F018 to F020: what the files are ---------------------------------------------------------------------------


def _fifo(scene: Scene) -> None:
    os.mkfifo(scene.work / "fifo")


def _huge(scene: Scene) -> None:
    with open(scene.work / "huge", "wb") as file:
        file.truncate(1 << 30)


def _no_file(
    path: str, says: str, kind: Kind = Kind.CONFIG, before: Callable[[Scene], object] | None = None
) -> list[Case]:
    """Return the cases in which either variable names this path."""
    return [
        Case(
            f"{variable}={path}",
            kind,
            environ={variable: path},
            before=before or (lambda _scene: None),
            says=says,
            seconds=1,
            calls=0,
        )
        for variable in (_CONFIG, _CREDENTIALS)
    ]


def _program(scene: Scene) -> str:
    """Make a program that leaves a mark, and return its path."""
    path = scene.path / "program"
    path.write_text("#!/bin/sh\ntouch started\necho 123456\n")
    path.chmod(0o755)
    return str(path)


def _with_mfa_process(scene: Scene) -> None:
    scene.config(f"mfa_serial = {scene.user.mfa_serial}", f"mfa_process = {_program(scene)}")


def _with_credential_process(scene: Scene) -> None:
    scene.config(
        other=f"[profile runs]\nrole_arn = {scene.role.arn}\nsource_profile = program\n"
        f"[profile program]\ncredential_process = {_program(scene)}\n"
    )


def _in_credentials_file(scene: Scene) -> None:
    path = scene.home.path / ".aws" / "credentials"
    path.write_text(f"{path.read_text()}mfa_process = {_program(scene)}\n")
    scene.config(f"mfa_serial = {scene.user.mfa_serial}")


def _not_started(scene: Scene, _result: Result) -> None:
    assert not (scene.work / "started").exists(), "the program was started"


def _restored(scene: Scene) -> None:
    for name in ("config", "credentials"):
        path = scene.home.path / ".aws" / name
        path.chmod(0o600)
        os.chown(path, os.geteuid(), -1)
    _with_files(scene)


def _exposed(
    name: str, make: Callable[[Scene], object], says: str, *, file: str = "config", mode: int = 0o600, uid: int = 0
) -> Case:
    def before(scene: Scene) -> None:
        make(scene)
        path = scene.home.path / ".aws" / file
        path.chmod(mode)
        os.chown(path, uid, -1)

    profile = "runs" if make is _with_credential_process else "admin"
    kind = Kind.UNSAFE if make is not _with_files else Kind.DOCUMENT
    said = {"says" if kind is Kind.UNSAFE else "logs": says}
    return Case(
        name,
        kind,
        before=before,
        undo=_restored,
        arguments=("--profile", profile),
        check=_not_started,
        calls=int(kind is Kind.DOCUMENT),
        **said,  # type: ignore[arg-type]
    )


_WRITABLE = r"^credproc: error: ~/\.aws/{0}:\d+: {1} is not started: the file is writable by others \(mode {2}\)$"
_FOREIGN = (
    rf"^credproc: error: ~/\.aws/config:\d+: {{0}} is not started: the file belongs to another user \({NOBODY}\)$"
)


def _says(pattern: str, *parts: str) -> str:
    return "(?m)" + pattern.format(*parts)


ROWS = (
    row(
        "F001",
        "no arguments, no AWS_PROFILE, no [default]",
        Case("no default", Kind.PROFILE, arguments=(), environ=_NO_MACHINE, says="--profile or AWS_PROFILE", calls=0),
        Case(
            "no files",
            Kind.PROFILE,
            before=_without_files,
            undo=_with_files,
            arguments=(),
            environ={"AWS_EC2_METADATA_DISABLED": "true"},
            says="--profile or AWS_PROFILE",
            calls=0,
        ),
    ),
    row(
        "F002",
        "unknown option, repeated --profile",
        Case("unknown", Kind.USAGE, arguments=("--nonsense",), says="nonsense", check=_untouched),
        Case(
            "repeated",
            Kind.USAGE,
            arguments=("--profile", "admin", "--profile", "admin"),
            says="--profile",
            check=_untouched,
        ),
    ),
    row(
        "F003",
        "--version and --help with HOME unwritable, as root in another's, or without",
        _text("--version", "version, HOME unwritable", "env", "HOME=/", nobody=True),
        _text("--help", "help, HOME unwritable", "env", "HOME=/", nobody=True),
        _text("--version", "version, root"),
        _text("--help", "help, root"),
        _text("--version", "version, no HOME", *_NO_HOME),
        _text("--help", "help, no HOME", *_NO_HOME),
        _text("login --help", "login's help, no HOME", *_NO_HOME),
    ),
    row(
        "F004", "--profile ''", Case("empty", Kind.USAGE, arguments=("--profile", ""), says="profile", check=_untouched)
    ),
    row(
        "F005",
        "a profile's name of 10,000 characters",
        Case("option", Kind.PROFILE, arguments=("--profile", _LONG), says=_unnamed(r"x{75}\.\.\."), check=_short),
        Case(
            "variable",
            Kind.PROFILE,
            arguments=(),
            environ={"AWS_PROFILE": "\u00e9" * 5000},
            says=_unnamed("\u00e9{75}\\.\\.\\."),
            check=_short,
        ),
        Case(
            "source_profile",
            Kind.PROFILE,
            arguments=("--profile", "long"),
            before=lambda s: s.config(other=f"[profile long]\nrole_arn = {s.role.arn}\nsource_profile = {_LONG}\n"),
            says=r"^credproc: error: ~/.aws/config:\d+: source_profile 'x{75}\.\.\.' does not exist",
            check=_short,
        ),
    ),
    row(
        "F006",
        "a profile's name with /, .., ~, : or a control character",
        _odd("../../../evil", "../../../evil"),
        _odd("/etc/passwd", "/etc/passwd"),
        _odd("a/b:c", "a/b:c"),
        _odd("~/x", '"~/x"'),
        _odd("..", ".."),
        _odd("../../../nobody"),
        _odd("a\x1b[2Jb\rc\nd"),
        _odd("~root"),
    ),
    row(
        "F007",
        "an accent as one character and as two",
        Case("as it is", before=_named(f'"{_COMPOSED}"'), arguments=("--profile", _COMPOSED)),
        Case(
            "one there, two asked for",
            Kind.PROFILE,
            before=_named(f'"{_COMPOSED}"'),
            arguments=("--profile", _DECOMPOSED),
            says=r"no profile named 'e\\u0301'\n.*did you mean '\xe9'",
            calls=0,
        ),
        Case(
            "two there, one asked for",
            Kind.PROFILE,
            before=_named(f'"{_DECOMPOSED}"'),
            arguments=("--profile", _COMPOSED),
            says=r"no profile named '\xe9'\n.*did you mean 'e\\u0301'",
            calls=0,
        ),
    ),
    row(
        "F008",
        "a profile's name that is no UTF-8",
        Case(
            "option",
            Kind.PROFILE,
            arguments=("--profile", "a\udcff\udcfe"),
            says=_unnamed(r"a\\udcff\\udcfe"),
            check=_ascii_only,
        ),
        Case(
            "option, ASCII",
            Kind.PROFILE,
            arguments=("--profile=\udcff",),
            environ=_ASCII,
            says=_unnamed(r"\\udcff"),
            check=_ascii_only,
        ),
        Case(
            "variable",
            Kind.PROFILE,
            arguments=(),
            environ={"AWS_PROFILE": "\udce9"},
            says=_unnamed(r"\\udce9"),
            check=_ascii_only,
        ),
    ),
    row(
        "F009",
        "an ASCII locale and a config that is not",
        Case("C", before=lambda s: s.config(other="# é"), environ=_ASCII),
        Case("a name", before=_named('"é"'), arguments=("--profile", "é"), environ=_ASCII),
        Case(
            "a file's name",
            before=_moved_config,
            undo=_config_back,
            environ={**_ASCII, _CONFIG: "~/.aws/café"},
        ),
        Case("ISO-8859-1", before=_named('"é"'), arguments=("--profile", "é"), environ={"LC_ALL": "de_DE.ISO-8859-1"}),
    ),
    row(
        "F010",
        "no HOME, and an entry in the user database",
        Case("no HOME", before=_user_database, wrapper=(*_IN_IT, *_NO_HOME), check=_kept_at_home),
        Case("empty", before=_user_database, wrapper=_IN_IT, environ={"HOME": ""}, check=_kept_at_home),
    ),
    row(
        "F011",
        "no HOME, and no entry in the user database",
        Case(
            "no HOME",
            before=_files_of(_STRANGER),
            wrapper=(*as_user(_STRANGER), *_NO_HOME),
            environ=_FILES,
            check=_kept_nowhere,
        ),
    ),
    row(
        "F012",
        "HOME is not there, or is no directory",
        _homes("not there, root", "$PWD/none"),
        _homes("not there", "$PWD/none", nobody=True),
        _homes("a file", "/etc/passwd"),
        _homes("a device", "/dev/null"),
    ),
    row(
        "F013",
        "HOME or XDG_CACHE_HOME is relative",
        Case("HOME", before=_user_database, wrapper=_IN_IT, environ={"HOME": "home"}, check=_kept_at_home),
        Case("HOME is .", before=_user_database, wrapper=_IN_IT, environ={"HOME": "."}, check=_kept_at_home),
        Case("XDG_CACHE_HOME", environ={"XDG_CACHE_HOME": "cache"}, check=_kept_at_home),
        Case("CREDPROC_CACHE_DIR", environ={"CREDPROC_CACHE_DIR": "cache"}, check=_kept_at_home),
    ),
    row(
        "F014",
        "root with the home of another user",
        Case("sudo", before=_of_another, check=_nothing_of_roots),
        Case("sudo, and the user has a cache", before=_of_another_who_used_it, check=_nothing_of_roots),
    ),
    row(
        "F015",
        "the working directory is deleted, unreadable, or on a dead mount",
        Case("deleted", wrapper=_DELETED),
        Case("deleted, a hit", before=_settled, wrapper=_DELETED, calls=0),
        Case("unreadable", nobody=True, wrapper=_in("mkdir shut && cd shut && chmod 0 .")),
        Case("dead", wrapper=_DEAD),
    ),
    row(
        "F016",
        "descriptors 3 to 100 open, at most so many",
        Case("3 to 100 open", wrapper=_OPEN),
        *(_limited(f"--nofile={number}", Kind.DOCUMENT, Kind.INTERNAL) for number in (10, 7)),
        *(
            _limited(f"--nofile={number}", Kind.DOCUMENT, Kind.INTERNAL, deep=True)
            for number in (5, 6, 8, 9, 11, 12, 16)
        ),
    ),
    row(
        "F017",
        "little memory, no process, no file",
        *(_limited(f"--as={mib << 20}", Kind.DOCUMENT, Kind.INTERNAL) for mib in (64, 96)),
        *(_limited(f"--as={mib << 20}", Kind.DOCUMENT, Kind.INTERNAL, deep=True) for mib in (48, 56, 72, 80, 128, 192)),
        _limited("--nproc=0", Kind.DOCUMENT, Kind.INTERNAL, nobody=True),
        *(_limited(f"--fsize={size}") for size in (0, 200)),
        *(_limited(f"--fsize={size}", deep=True) for size in (1, 64, 127, 128, 1000, 2000)),
    ),
    row(
        "F018",
        "AWS_CONFIG_FILE is no file",
        Case("missing", Kind.PROFILE, environ={_CONFIG: "../none"}, says="no profile named", calls=0),
        Case("/dev/null", Kind.PROFILE, environ={_CONFIG: "/dev/null"}, says="no profile named", calls=0),
        *_no_file("/etc", "/etc: is not a regular file"),
        *_no_file("fifo", "fifo: is not a regular file", before=_fifo),
        *_no_file("/dev/zero", "/dev/zero: is not a regular file"),
        *_no_file("/proc/self/mem", "/proc/self/mem: cannot be read"),
        *_no_file("huge", "huge: is larger than 8 MiB", before=_huge),
    ),
    row(
        "F019",
        "a config that others may write names a program",
        _exposed("mfa_process", _with_mfa_process, _says(_WRITABLE, "config", "mfa_process", "666"), mode=0o666),
        _exposed(
            "credentials file",
            _in_credentials_file,
            _says(_WRITABLE, "credentials", "mfa_process", "602"),
            file="credentials",
            mode=0o602,
        ),
        _exposed(
            "credential_process",
            _with_credential_process,
            _says(_WRITABLE, "config", "credential_process", "666"),
            mode=0o666,
        ),
        _exposed("no program", _with_files, r"config: is writable by others \(mode 666\)", mode=0o666),
    ),
    row(
        "F020",
        "a config of another user",
        _exposed("mfa_process", _with_mfa_process, _says(_FOREIGN, "mfa_process"), uid=NOBODY),
        _exposed("credential_process", _with_credential_process, _says(_FOREIGN, "credential_process"), uid=NOBODY),
        _exposed("no program", _with_files, rf"config: belongs to another user \({NOBODY}\)", uid=NOBODY),
    ),
)
