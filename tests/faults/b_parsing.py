"""B. Config and credentials parsing."""

from __future__ import annotations

import random
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, nothing, row, sweep
from tests.sts import Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.rows import Amount, Check, Step
    from tests.faults.scene import Result, Scene

_OTHER_ROLE = "arn:aws:iam::123456789012:role/marketing"
_CONFIG, _CREDENTIALS = "~/.aws/config", "~/.aws/credentials"


def _deep(*cases: Case) -> tuple[Case, ...]:
    """Return the cases as those of the deep run alone."""
    return tuple(replace(case, deep=True) for case in cases)


def _path(scene: Scene, file: str) -> Path:
    return scene.home.path / file.removeprefix("~/")


def _rewritten(change: Callable[[bytes], bytes], file: str = _CONFIG) -> Step:
    """Return a set-up that changes the bytes of one of the two files."""

    def before(scene: Scene) -> None:
        path = _path(scene, file)
        path.write_bytes(change(path.read_bytes()))

    return before


def _restored(scene: Scene) -> None:
    scene.config()
    scene.home.keys("user1", scene.user)


def _broken(name: str, change: Callable[[bytes], bytes], says: str, file: str = _CONFIG) -> Case:
    """Return a case in which the file is one that nobody could make sense of."""
    return Case(
        name, Kind.CONFIG, before=_rewritten(change, file), undo=_restored, says=f"^credproc: error: {says}", calls=0
    )


def _fine(name: str, change: Callable[[bytes], bytes], file: str = _CONFIG, check: str = "", logs: str = "") -> Case:
    """Return a case in which the file says the same in other words, and `check` is the Policy that is sent."""
    return Case(name, before=_rewritten(change, file), check=_policy(check) if check else lambda *_: None, logs=logs)


def _added(text: str) -> Callable[[bytes], bytes]:
    """Return a change that puts lines into profile admin, which stands first."""
    return lambda data: data.replace(b"[profile admin]\n", f"[profile admin]\n{text}\n".encode(), 1)


def _appended(text: str) -> Callable[[bytes], bytes]:
    return lambda data: data + text.encode()


def _policy(sent: str) -> Callable[[Scene, Result], None]:
    def check(scene: Scene, _result: Result) -> None:
        assert scene.sts.calls[0].parameters.get("Policy") == sent, scene.sts.calls[0].parameters

    return check


def _ends(end: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(b"\n", end)


def _mixed(data: bytes) -> bytes:
    lines = data.split(b"\n")
    return b"".join(line + (b"\r", b"\r\n", b"\n")[number % 3] for number, line in enumerate(lines))


def _twice(first: str, second: str) -> Step:
    """Return a set-up with profile admin in two sections; the roles of both trust the user."""

    def before(scene: Scene) -> None:
        scene.sts.role(_OTHER_ROLE, Trust((scene.user.arn,)))
        rest = f"source_profile = user1\nexternal_id = {scene.external_id}\n"
        scene.home.config(f"[profile admin]\n{first}\n[profile b]\n[profile admin]\n{second}\n{rest}")

    return before


def _role_is_right(scene: Scene, result: Result) -> None:
    if result.status == 0:
        assert _role(scene, result) == scene.role.arn, "credentials of another role"


def _role(scene: Scene, result: Result) -> str | None:
    key = result.stdout.partition(b'"AccessKeyId":"')[2].partition(b'"')[0].decode()
    credentials = scene.sts.iam.credentials(key)
    return None if credentials is None else credentials.role_arn


_R = "role_arn = arn:aws:iam::123456789012:role/marketingadmin"
_LITERAL = '{"Version":"2012-10-17","Id":"%(region)s ${HOME} $HOME %% ~ `id`","Statement":[]}'
_MARKED = '{"Version":"2012-10-17","Id":"a#b;c","Statement":[]}'
_MACHINE = {"AWS_EC2_METADATA_DISABLED": "true"}


def _keyless(scene: Scene) -> None:
    """Put the role's settings, with keys, where they count for nobody."""
    keys = scene.user.credentials
    scene.config(
        other=f"[DEFAULT]\n{_R}\nsource_profile = user1\naws_access_key_id = {keys.access_key_id}\n"
        f"aws_secret_access_key = {keys.secret_access_key}\n[profile bare]\nregion = us-west-2\n"
    )


def _keyless_credentials(scene: Scene) -> None:
    path = _path(scene, _CREDENTIALS)
    path.write_text(f"[DEFAULT]\n{_R}\nsource_profile = user1\n[bare]\nregion = us-west-2\n{path.read_text()}")


def _percent(scene: Scene) -> None:
    for file in (_CONFIG, _CREDENTIALS):
        _rewritten(lambda data: data.replace(b"user1", b"us%er%%1"), file)(scene)


# --- F024, F026: what cannot be made sense of -----------------------------------------------------------------------


def _big_endian(data: bytes) -> bytes:
    return b"\xfe\xff" + data.decode().encode("utf-16-be")


def _with_text(text: str) -> Callable[[bytes], bytes]:
    return lambda data: text.encode() + data


def _unreadable() -> Iterator[Case]:
    """Yield the cases of what is no text, or not of the grammar, in either file."""
    for file in (_CONFIG, _CREDENTIALS):
        name = file.rpartition("/")[2]
        yield _broken(f"UTF-16 LE, {name}", lambda data: data.decode().encode("utf-16"), f"{file}:1: is UTF-16", file)
        yield _broken(f"UTF-16 BE, {name}", _big_endian, f"{file}:1: is UTF-16", file)
        yield _broken(f"NUL, {name}", lambda data: data.replace(b"\n", b"\n\0", 1), f"{file}:2: contains a NUL", file)
        latin = _broken(f"Latin-1, {name}", lambda data: b"#\n#\n# \xe9\n" + data, f"{file}:3: is not UTF-8", file)
        yield from _deep(latin)


def _ungrammatical() -> Iterator[Case]:
    for file, prefix in ((_CONFIG, "profile "), (_CREDENTIALS, "")):
        name = file.rpartition("/")[2]
        yield _broken(f"no section, {name}", _with_text("region = x\n"), f"{file}:1: ", file)
        for what, text, line in (
            ("no =", "[{}]\nregion\n", 2),
            ("no name", "[{}]\n= x\n", 2),
            ("unclosed", "[{}\nregion = x\n", 1),
            ("continues nothing", "[{}]\n  region = x\n", 2),
            ("text behind", "[{}] region = x\n", 1),
        ):
            case = _broken(f"{what}, {name}", _with_text(text.format(f"{prefix}admin")), f"{file}:{line}: ", file)
            other = _fine(f"{what}, {name}, elsewhere", _with_text(text.format(f"{prefix}x")), file)
            yield from (replace(each, deep=what not in {"no =", "unclosed"}) for each in (case, other))


# --- F027: size -----------------------------------------------------------------------------------------------------

_MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open("used", "w") as file:
    print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, file=file)
sys.exit(status)
"""
_MEASURED = (sys.executable, "-ISc", _MEASURE)


def _small(scene: Scene, _result: Result) -> None:
    peak, seconds = map(float, (scene.work / "used").read_text().split())
    assert peak <= 150, f"{peak:.0f} MiB"
    assert seconds <= 2, f"{seconds:.1f} s of the processor"  # not of the clock, which others share


def _large(name: str, change: Callable[[bytes], bytes], says: str = "", file: str = _CONFIG) -> Case:
    found = _broken(name, change, says, file) if says else _fine(name, change, file)
    return replace(found, wrapper=_MEASURED, check=_small)


def _sections(count: int, prefix: str = "profile ") -> str:
    return "".join(f"[{prefix}p{number}]\nregion = us-east-1\n" for number in range(count))


_LONG = "x" * (5 << 20)


# --- F029, F031: names ----------------------------------------------------------------------------------------------

_PROFILES = "import botocore.session; print(*botocore.session.Session().available_profiles, sep='\\n')"


def _as_botocore(name: str) -> Callable[[Scene, Result], None]:
    """Return a check that botocore knows this profile too, or does not know it either."""

    def check(scene: Scene, result: Result) -> None:
        theirs = scene.process([sys.executable, "-c", _PROFILES], scene.home.environ)
        known = name in theirs.stdout.decode().split("\n")
        assert known is (result.status == 0), f"botocore knows {theirs.stdout!r}"

    return check


def _spelt(header: str, name: str, *, known: bool, file: str = _CONFIG, check: Check | None = None) -> Case:
    def before(scene: Scene) -> None:
        path = _path(scene, file)
        section = f"[{header}]\n{_R}\nsource_profile = user1\nexternal_id = {scene.external_id}\n"
        path.write_text(path.read_text() + section)

    return Case(
        f"[{header}] in {file.rpartition('/')[2]}",
        Kind.DOCUMENT if known else Kind.PROFILE,
        before=before,
        arguments=("--profile", name),
        says="" if known else "no profile named",
        check=check or _as_botocore(name),
        calls=int(known),
    )


# --- F032, F033: files that are being written -----------------------------------------------------------------------


def _two_configs(scene: Scene) -> tuple[bytes, bytes]:
    """Return two configs for profile admin, of two roles; a mixture of them is denied."""
    other = scene.canary("other external id")
    scene.sts.role(_OTHER_ROLE, Trust((scene.user.arn,), external_id=other))
    mine = _path(scene, _CONFIG).read_bytes()
    return mine, mine.replace(scene.role.arn.encode(), _OTHER_ROLE.encode()).replace(
        scene.external_id.encode(), other.encode()
    )


def _while_replaced(scene: Scene) -> list[Result]:
    """Run while an editor replaces the config all the time, and once more when it has stopped at the other one."""
    configs, stop = _two_configs(scene), threading.Event()
    path, new = _path(scene, _CONFIG), scene.path / "new"

    def put(data: bytes) -> None:
        new.write_bytes(data)
        new.replace(path)

    def edit() -> None:
        while not stop.wait(0.001):
            for data in configs:
                put(data)

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        results = [scene.run() for _ in range(6)]
    finally:
        stop.set()
        editor.join()
    put(configs[1])
    results.append(scene.run())
    assert _role(scene, results[-1]) == _OTHER_ROLE, "the config's old state is served"
    return results


def _read_once(scene: Scene, _result: Result) -> None:
    trace = (scene.work / "trace").read_text()
    for file in (_CONFIG, _CREDENTIALS):
        opened = [line for line in trace.splitlines() if f'{file.removeprefix("~")}"' in line]
        assert len(opened) == 1, opened


_HALF = (Kind.DOCUMENT, Kind.CONFIG, Kind.DENIED)


def _cut(config: bytes) -> Step:
    """Return a set-up that writes this much of a config; its words are the scene's."""

    def before(scene: Scene) -> None:
        text = config.replace(b"EXTERNAL", scene.external_id.encode()).replace(b"ROLE", scene.role.arn.encode())
        _path(scene, _CONFIG).write_bytes(text)

    return before


_WHOLE = f"[profile admin]\nregion = us-west-2\n{_R}\nsource_profile = user1\nexternal_id = EXTERNAL\n[profile user1]\n"


def _truncated(amount: Amount) -> Iterator[Case]:
    """Yield the config cut off at each byte, or at some."""
    size = len(_WHOLE)
    every = range(size)[amount.part - 1 :: amount.parts]
    for end in every if amount.deep else sorted(random.Random(amount.seed).sample(every, 8)):  # noqa: S311 - a sample, no secret
        yield Case(
            f"cut at {end}",
            _HALF,
            before=_cut(_WHOLE[:end].encode()),
            undo=_restored,
            says="^credproc: error: (~/.aws/config|.*AssumeRole: (AccessDenied|a parameter is not what STS takes))",
            check=_role_is_right,
        )
    excused = {"I5": "the editor of the case, not credproc, writes the file"}
    yield Case("the rest comes later", run=_completed, check=_role_is_right, excused=excused)


def _completed(scene: Scene) -> Result:
    """Run when the file's last line is half written and names another role, and again when it is whole."""
    scene.sts.role(_OTHER_ROLE, Trust((scene.user.arn,), external_id=scene.external_id))
    rest = f"source_profile = user1\nexternal_id = {scene.external_id}\n"
    half = f"[profile admin]\nregion = us-west-2\n{rest}role_arn = {_OTHER_ROLE}"
    path = _path(scene, _CONFIG)
    path.write_text(half)
    assert _role(scene, scene.run()) == _OTHER_ROLE
    path.write_text(half + "admin\n[profile user1]\n")
    return scene.run()


# --- F034, F035: the credentials file -------------------------------------------------------------------------------


def _closed(scene: Scene) -> None:
    """Put the keys beside the role, and close the credentials file."""
    keys = scene.user.credentials
    lines = (f"aws_access_key_id = {keys.access_key_id}", f"aws_secret_access_key = {keys.secret_access_key}")
    scene.config(user=lines)
    _closed_alone(scene)


def _closed_alone(scene: Scene) -> None:
    _path(scene, _CREDENTIALS).chmod(0)
    scene.hand_over(scene.home.path)


def _opened(scene: Scene) -> None:
    _path(scene, _CREDENTIALS).chmod(0o600)


def _moded(mode: int) -> Case:
    def check(scene: Scene, _result: Result) -> None:
        assert _path(scene, _CREDENTIALS).stat().st_mode & 0o777 == mode, "the mode is changed"

    return Case(
        f"{mode:o}",
        before=lambda s: _path(s, _CREDENTIALS).chmod(mode),
        check=check,
        logs=rf"warning: ~/\.aws/credentials: contains keys and is readable by others \(mode {mode:o}\)",
    )


_CONTROL = "credproc: error: ~/.aws/config:\\d+: {0} contains a control character"


def _control(name: str, character: str, key: str = "role_arn") -> Case:
    """Return a case with the character inside of the value."""

    def change(data: bytes) -> bytes:
        start = data.index(f"{key} = ".encode()) + len(key) + 6
        return data[:start] + character.encode() + data[start:]

    return replace(_broken(name, change, ""), says=_CONTROL.format(key))


ROWS = (
    row(
        "F021",
        "a section twice",
        Case(
            "other settings",
            before=_twice(_R, "region = us-west-2"),
            check=_role_is_right,
            logs=r"warning: ~/\.aws/config:4: \[profile admin\] repeats the section at ~/\.aws/config:1",
        ),
        Case(
            "the same setting",
            before=_twice(f"role_arn = {_OTHER_ROLE}", _R),
            check=_role_is_right,
            logs=r"~/\.aws/config:4: \[profile admin\]",
        ),
        Case(
            "credentials file",
            before=_rewritten(lambda data: b"[user1]\naws_access_key_id = AKIAOLD\n" + data, _CREDENTIALS),
            logs=r"~/\.aws/credentials:3: \[user1\]",
        ),
    ),
    row(
        "F022",
        "a role in [DEFAULT]",
        Case(
            "config",
            Kind.CONFIG,
            before=_keyless,
            arguments=("--profile", "bare"),
            says="profile 'bare' holds no credentials",
            logs=r"\[DEFAULT\] is not a profile",
            calls=0,
        ),
        Case(
            "no profile",
            Kind.PROFILE,
            before=_keyless,
            arguments=(),
            environ=_MACHINE,
            says="--profile or AWS_PROFILE",
            calls=0,
        ),
        Case(
            "credentials file",
            Kind.CONFIG,
            before=_keyless_credentials,
            arguments=("--profile", "bare"),
            says="profile 'bare' holds no credentials",
            calls=0,
        ),
    ),
    row(
        "F023",
        "%, ${} and their like in values",
        _fine("policy", _added(f"credproc_policy = {_LITERAL}"), check=_LITERAL),
        Case("a name", before=_percent),
        Case(
            "secret",
            Kind.DENIED,
            before=_rewritten(
                lambda data: data.replace(b"aws_secret_access_key = ", b"aws_secret_access_key = %(x)s"), _CREDENTIALS
            ),
            undo=_restored,
            says="SignatureDoesNotMatch",
        ),
    ),
    row(
        "F024",
        "a byte order mark, UTF-16, NUL bytes",
        _fine("BOM, config", lambda data: b"\xef\xbb\xbf" + data),
        _fine("BOM, credentials", lambda data: b"\xef\xbb\xbf" + data, _CREDENTIALS),
        *_unreadable(),
    ),
    row(
        "F025",
        "line ends with CR, control characters",
        *(
            replace(_fine(f"{name}, {file.rpartition('/')[2]}", change, file), deep=name == "mixed")
            for name, change in (
                ("CRLF", _ends(b"\r\n")),
                ("CR", _ends(b"\r")),
                ("mixed", _mixed),
                ("CRCRLF", _ends(b"\r\r\n")),
            )
            for file in (_CONFIG, _CREDENTIALS)
        ),
        _control("ESC", "\x1b"),
        _control("DEL", "\x7f"),
        _control("CSI", "\x9b"),
        *_deep(
            _control("VT", "\x0b", "source_profile"),
            _control("FF", "\x0c", "external_id"),
            _control("NEL", "\x85"),
        ),
    ),
    row("F026", "a line without =, a key before any section, an unclosed section", *_ungrammatical()),
    row(
        "F027",
        "50 MiB, 200,000 sections, a line of 5 MiB",
        _large("50 MiB", lambda data: data.ljust(50 << 20, b"#"), "~/.aws/config: is larger than 8 MiB"),
        _large(
            "50 MiB, credentials",
            lambda data: data.ljust(50 << 20, b"#"),
            "~/.aws/credentials: is larger",
            _CREDENTIALS,
        ),
        _large("200,000 sections", _appended(_sections(200_000)), "~/.aws/config: has more than 100000 lines"),
        _large("49,990 sections", _appended(_sections(49_990))),
        _large("a value", _added(f"x = {_LONG}")),
        _large("spaces", _added(f"x = y{' ' * (5 << 20)}z")),
        *_deep(
            _large("300,000 empty lines", _appended("\r" * 300_000), "~/.aws/config: has more than 100000 lines"),
            _large("a comment", _appended(f"# {_LONG}\n")),
            _large("a section", _appended(f"[profile {_LONG}]\n")),
            _large("a key", _added(f"{_LONG} = x")),
        ),
    ),
    row(
        "F028",
        "settings in settings",
        _fine("s3", _added("s3 =\n  max_concurrent_requests = 20\n  region = eu-west-1")),
        _fine("s3 by tabs", _added("s3 =\n\tmax_bandwidth = 5MB/s\n\t# a comment\n\n\trole_arn = x")),
        Case(
            "services",
            before=lambda s: s.config(
                "services = local", other=f"[services local]\nsts =\n  endpoint_url = {s.sts.url}\n"
            ),
            environ={"AWS_ENDPOINT_URL_STS": ""},
        ),
    ),
    row(
        "F029",
        "the spellings of a section",
        _spelt("profile  x", "x", known=True),
        _spelt("profile\tx", "x", known=True),
        _spelt(" profile x ", "x", known=True, check=nothing),
        _spelt('profile "a b"', "a b", known=True),
        _spelt("profile 'a b'", "a b", known=True),
        _spelt('profile "x"', "x", known=True),
        _spelt('"x"', "x", known=False),
        _spelt("x", "x", known=False),
        _spelt("x", "x", known=True, file=_CREDENTIALS),
        _spelt("profile x", "x", known=False, file=_CREDENTIALS),
    ),
    row(
        "F030",
        "comments behind values",
        _fine("#", lambda data: data.replace(_R.encode(), f"{_R} # admin".encode())),
        _fine(";", lambda data: data.replace(_R.encode(), f"{_R}\t; admin".encode())),
        _fine("behind a section", lambda data: data.replace(b"[profile admin]", b"[profile admin] ; the admin # one")),
        _fine("inside of a value", _added(f"credproc_policy = {_MARKED}"), check=_MARKED),
        _fine("behind a secret", lambda data: data.replace(b"\n", b" # secret\n"), _CREDENTIALS),
    ),
    row(
        "F031",
        "sections of the names __proto__, .., 'default ', and none",
        _spelt("profile __proto__", "__proto__", known=True),
        *_deep(_spelt("profile constructor", "constructor", known=True)),
        _spelt("profile ..", "..", known=True),
        _spelt("default ", "default", known=True, check=nothing),
        *(
            _fine(
                f"[{header}]",
                _appended(f"[{header}]\nrole_arn = x\nregion = cn-north-1\n"),
                logs=rf"\[{header.strip()}\] is no",
            )
            for header in ("", "profile", "profile ")
        ),
    ),
    row(
        "F032",
        "the config is replaced during the run",
        Case(
            "all the time",
            run=_while_replaced,
            calls=10,
            excused={"I5": "the editor of the case, not credproc, writes the file"},
        ),
        Case("read once", wrapper=("strace", "-f", "-qq", "-o", "trace", "-e", "trace=openat"), check=_read_once),
    ),
    sweep("F033", "the config is half written", _truncated),
    row(
        "F034",
        "the credentials file may not be read",
        Case(
            "not needed",
            before=_closed,
            undo=_opened,
            nobody=True,
            logs=r"warning: ~/\.aws/credentials: cannot be read: permission denied",
        ),
        Case(
            "needed",
            Kind.CONFIG,
            before=_closed_alone,
            undo=_opened,
            nobody=True,
            says=r"hint: ~/\.aws/credentials: cannot be read: permission denied",
            calls=0,
        ),
    ),
    row("F035", "the credentials file may be read by others", _moded(0o644), _moded(0o640), _moded(0o604)),
)
