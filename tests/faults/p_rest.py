"""P. The rest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import botocore

from tests.faults.rows import Case, Kind, row
from tests.faults.scene import FROZEN, NOBODY, as_user
from tests.sts import Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.scene import Result, Scene
    from tests.terminal import Job

_ISSUER = "https://oidc.example.com/id/1"


# --- F150 -----------------------------------------------------------------------------------------------------------


def _to_terminal(scene: Scene) -> Result:
    """Run with stdout on the terminal; what is returned as stdout is the last line that was shown there."""
    began = time.monotonic()
    job = scene.job(stdout="terminal")
    result = scene.result(job, began, scene.attend(job))
    shown = scene.terminal.transcript.replace(b"\r\n", b"\n").splitlines(keepends=True)
    return replace(result, stdout=shown[-1] if shown else b"")


_SHOWN = {"I3": "the document is shown on this terminal, as whoever ran credproc there has asked for"}


# --- F151: web identity tokens --------------------------------------------------------------------------------------


def _token(scene: Scene) -> str:
    """Return another token that STS takes."""
    token = scene.sts.web_identity_token(_ISSUER)
    scene.canaries[f"web identity token {len(scene.canaries)}"] = token
    return token


def _web_identity(scene: Scene) -> None:
    """Make profile admin one of a web identity, whose token file is there."""
    scene.sts.role(scene.role.arn, Trust((scene.user.arn,), federated=_ISSUER, external_id=scene.external_id))
    path = scene.path / "token"
    scene.home.config(f"[profile admin]\nrole_arn = {scene.role.arn}\nweb_identity_token_file = {path}\n")
    _whole(scene)


def _whole(scene: Scene) -> None:
    path = scene.path / "token"
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_text(_token(scene) + "\n")


def _no_token(name: str, make: Callable[[Path], object], says: str, *, deep: bool = False) -> Case:
    """Return a case in which the file is something else."""

    def before(scene: Scene) -> None:
        _web_identity(scene)
        path = scene.path / "token"
        path.unlink()
        make(path)

    return Case(name, Kind.SOURCE, before=before, undo=_whole, says=f"/token: .*{says}", calls=0, deep=deep)


def _sized(size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with open(path, "wb") as file:
            file.write(b"x" * min(size, 70_000))
            file.truncate(size)

    return make


def _projected(scene: Scene, name: str) -> None:
    """Put a token where Kubernetes puts it: token is a link into ..data, which is a link that is replaced."""
    directory = scene.path / name
    directory.mkdir()
    (directory / "token").write_text(_token(scene))
    new = scene.path / "..data_tmp"
    new.symlink_to(name)
    new.replace(scene.path / "..data")


def _with_projected(scene: Scene) -> None:
    _web_identity(scene)
    (scene.path / "token").unlink()
    _projected(scene, "..2026_11_24_1")
    (scene.path / "token").symlink_to("..data/token")


def _while_rotated(scene: Scene) -> list[Result]:
    """Run while the token is replaced all the time."""
    stop = threading.Event()
    for number in (2, 3):
        _projected(scene, f"..2026_11_24_{number}")

    def rotate() -> None:
        new = scene.path / "..data_tmp"
        while not stop.wait(0.001):
            for number in (1, 2, 3):
                new.symlink_to(f"..2026_11_24_{number}")
                new.replace(scene.path / "..data")

    thread = threading.Thread(target=rotate)
    thread.start()
    try:
        results = []
        for _ in range(3):
            results.append(scene.run())
            scene.entry.unlink()
    finally:
        stop.set()
        thread.join()
    return results


# --- F152, F153: parameters -----------------------------------------------------------------------------------------


def _setting(
    name: str,
    line: str,
    kind: Kind | tuple[Kind, ...] = Kind.DOCUMENT,
    says: str = "",
    *,
    sent: str = "",
    value: str = "",
) -> Case:
    """Return a case with this line in the role profile; `sent` is the parameter that STS gets with this value."""

    def before(scene: Scene) -> None:
        scene.sts.role(
            scene.role.arn, Trust((scene.user.arn,), external_id=scene.external_id), max_session_duration=43200
        )
        scene.config(line)

    def check(scene: Scene, _result: Result) -> None:
        assert not sent or scene.sts.calls[-1].parameters.get(sent) == value, scene.sts.calls[-1].parameters
        assert _MARK not in scene.home.log

    calls = 0 if kind is Kind.CONFIG else 2
    return Case(name, kind, before=before, undo=lambda s: s.config(), says=says, check=check, calls=calls)


def _external_id(name: str, make: Callable[[str], str]) -> Case:
    """Return a case with an external id that STS refuses, and quotes when it does."""

    def before(scene: Scene) -> None:
        secret = scene.canary("external id that is refused")
        text = (scene.home.path / ".aws" / "config").read_text()
        scene.home.config(text.replace(f"external_id = {scene.external_id}", f"external_id = {make(secret)}"))

    return Case(
        name,
        Kind.DENIED,
        before=before,
        undo=lambda s: s.config(),
        says=r"AssumeRole: ValidationError: .*'\*\*\*[\\\"']* at 'externalId'",
        calls=1,
    )


_MARK = "inside-of-the-policy"
_QUOTED = json.dumps({"Version": "2012-10-17", "Id": f"{_MARK} \"'\\ \u00e9 &=%", "Statement": []}, ensure_ascii=False)
_LARGE = json.dumps({"Version": "2012-10-17", "Id": _MARK + "x" * 5000, "Statement": []})


def _chained(scene: Scene) -> None:
    """Make profile admin a role behind another one, for two hours."""
    between = "arn:aws:iam::123456789012:role/between"
    scene.sts.role(between, Trust((scene.user.arn,)))
    scene.sts.role(
        scene.role.arn, Trust((between, scene.user.arn), external_id=scene.external_id), max_session_duration=43200
    )
    scene.home.config(
        f"[profile admin]\nrole_arn = {scene.role.arn}\nsource_profile = between\nduration_seconds = 7200\n"
        f"external_id = {scene.external_id}\n[profile between]\nrole_arn = {between}\nsource_profile = user1\n"
    )


def _capped(scene: Scene, _result: Result) -> None:
    assert scene.sts.calls[-1].parameters["DurationSeconds"] == "3600"


# --- F154, F155, F157, F158: modules --------------------------------------------------------------------------------


def _plant(scene: Scene) -> None:
    """Put modules into the working directory that leave a mark when they are imported."""
    names = ["json.py", "socket.py", "os.py", "sitecustomize.py", "usercustomize.py", "encodings.py", "errno.py"]
    names += [f"{package}/__init__.py" for package in ("botocore", "credproc", "keyring", "urllib3", "zlib")]
    names += [f"{place}/{name}" for place in ("credproc?0", "base_library.zip", "_internal") for name in names]
    for name in names:
        path = scene.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(scene.path / 'imported')!r}, 'a').write(__name__ + ' ')\n")


def _not_imported(scene: Scene, _result: Result) -> None:
    mark = scene.path / "imported"
    assert not mark.exists(), mark.read_text()


def _planted(name: str, *, frozen: bool, python_path: bool, warm: bool = False) -> Case:
    def before(scene: Scene) -> None:
        if warm:
            scene.home.settle()
            scene.warm()
        _plant(scene)

    environ = {"PYTHONPATH": ".", "PYTHONHOME": ".", "PYTHONUSERBASE": "."} if python_path else {}
    return Case(name, before=before, frozen=frozen, environ=environ, check=_not_imported, calls=int(not warm))


_PACKAGES = Path(botocore.__file__).parent.parent  # that the tried program imports


_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from credproc.cli import main; main()"


def _other_version(scene: Scene) -> list[str]:
    """Return the command line of a credproc whose entries have another format."""
    other = scene.path / "other"
    shutil.copytree(_PACKAGES / "credproc", other / "credproc", ignore=shutil.ignore_patterns("__pycache__"))
    module = other / "credproc" / "cache.py"
    text = module.read_text()
    assert '_FORMAT = b"credproc-2"' in text
    module.write_text(text.replace('_FORMAT = b"credproc-2"', '_FORMAT = b"credproc-3"'))
    return [sys.executable, "-B", "-c", _START, str(other), "--profile", "admin"]


def _interleaved(scene: Scene) -> list[Result]:
    """Run two versions in turn: each has its entry, and keeps it."""
    scene.home.settle()
    commands = [scene.argv(), _other_version(scene)]
    results = [scene.process(command, scene.environ()) for command in commands * 4]
    assert len({result.stdout for result in results}) == 2, "they take each other's entries, or lose their own"
    assert len(scene.home.entries) == 2
    scene.strange = {path.name for path in scene.home.entries if b"credproc-3" in path.read_bytes()}
    return results


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def _vanishing(scene: Scene) -> Result:
    """Run a copy of the installed program, and remove all of its modules while a code is typed."""
    copy = scene.path / "packages"
    copy.mkdir()
    for name in ("credproc", "botocore", "urllib3", "jmespath", "dateutil", "six.py", "keyring"):
        _copy(_PACKAGES / name, copy / name)

    def person(job: Job) -> None:
        _wait_until_idle(job.pid)
        copy.rename(scene.path / "gone")
        scene.type_code()

    argv = [sys.executable, "-ISB", "-c", _START, str(copy), "--profile", "admin"]
    return scene.on_terminal(argv, person=person)


def _wait_until_idle(pid: int) -> None:
    """Wait until the process has used no time of the processor for half a second: what is imported is there."""
    used, since = -1.0, time.monotonic()
    while time.monotonic() - since < 0.5:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        now = float(fields[11]) + float(fields[12])
        if now != used:
            used, since = now, time.monotonic()
        time.sleep(0.02)


def _unreadable(file: str, *, missing: bool = False) -> Case:
    """Return a case in which a file of the frozen program's own cannot be read, or is not there."""

    def run(scene: Scene) -> Result:
        copy = scene.path / "frozen"
        _copy(FROZEN.parent, copy)
        broken = copy / "_internal" / file
        broken.chmod(0)
        if missing:
            broken.unlink()
        return scene.process([*as_user(NOBODY), str(copy / "credproc"), "--profile", "admin"], scene.environ())

    def check(_scene: Scene, result: Result) -> None:
        lines = [line for line in result.said.splitlines() if not line.startswith("credproc: hint: ")]
        assert len(lines) == 1, lines

    name = f"{file}, {'missing' if missing else 'unreadable'}"
    return Case(name, Kind.INTERNAL, run=run, frozen=True, nobody=True, says="^credproc: error: ", check=check, calls=0)


# --- F159, F160: much around, little time ---------------------------------------------------------------------------

_MUCH = """
import os, sys
os.environ["PATH"] = ":".join([*(f"/n/{number}" for number in range(10_000)), os.environ["PATH"]])
os.environ.update({f"BULK{number}": "x" * 65_536 for number in range(16)})
os.execv(sys.argv[1], sys.argv[1:])
"""
_WITH_MUCH = (sys.executable, "-ISc", _MUCH)


def _by_name(kind: str) -> Callable[[Scene], None]:
    """Return a set-up in which a program is found by PATH: one that gives credentials, or codes."""

    def before(scene: Scene) -> None:
        if kind == "mfa_process":
            scene.config("mfa_process = echo 000000")
            return
        (scene.path / "document").write_text(json.dumps(scene.sts.temporary(scene.user).document()))
        scene.config(
            other=f"[profile runs]\nrole_arn = {scene.role.arn}\nsource_profile = program\n"
            f"external_id = {scene.external_id}\n"
            f"[profile program]\ncredential_process = cat {scene.path}/document\n"
        )

    return before


_BURN = (
    "import os, resource, sys, time; resource.setrlimit(resource.RLIMIT_CPU, (1, 3)); end = float(sys.argv[1])\n"
    "while time.process_time() < end: pass\n"
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


def _processor(used: float, *kinds: Kind, deep: bool = False) -> Case:
    """Return a case in which so much of the one second that it may use is used before credproc starts."""
    return Case(
        f"{used} s used before",
        kinds,
        signals=(signal.SIGXCPU,),
        wrapper=(sys.executable, "-ISc", _BURN, str(used)),
        deep=deep,
    )


def _limit_reached(scene: Scene) -> Result:
    """Run with a prompt, and let the kernel's signal come while a person types."""

    def person(job: Job) -> None:
        scene.terminal.send("123")
        job.signal(signal.SIGXCPU)

    before = scene.terminal.attributes()
    result = scene.on_terminal(person=person)
    # by the watchdog, as nobody catches this signal
    scene.terminal.until(lambda: scene.terminal.attributes() == before, "the terminal's settings", 1)
    return result


ROWS = (
    row(
        "F150",
        "stdout is a terminal",
        Case("without a prompt", run=_to_terminal, excused=_SHOWN),
        Case("with a prompt", run=_to_terminal, mfa=True, excused=_SHOWN),
    ),
    row(
        "F151",
        "web_identity_token_file is missing, empty, large, no file, a link, replaced",
        _no_token("missing", lambda _path: None, "web identity token: no such file or directory"),
        _no_token("empty", lambda path: path.touch(), "web identity token"),
        _no_token("blank", lambda path: path.write_text("\n \n"), "web identity token", deep=True),
        _no_token("10 MiB", _sized(10 << 20), "web identity token"),
        _no_token("64 KiB and a byte", _sized((64 << 10) + 1), "web identity token", deep=True),
        _no_token("a FIFO", os.mkfifo, "web identity token", deep=True),
        _no_token("a directory", lambda path: path.mkdir(), "web identity token: is a directory"),
        _no_token(
            "a link to nothing", lambda path: path.symlink_to("none"), "web identity token: no such file", deep=True
        ),
        Case("a newline behind it", before=_web_identity),
        Case("links, as Kubernetes has them", before=_with_projected),
        Case("replaced all the time", before=_with_projected, run=_while_rotated, calls=3),
    ),
    row(
        "F152",
        "an external id or policy with quotes, line ends, or of 5 KiB",
        _external_id("quotes", lambda secret: f"{secret}\"'"),
        replace(
            _external_id("line end", lambda secret: f"{secret}\n  {secret}"),
            kind=Kind.CONFIG,
            says="external_id goes over several lines",
            calls=0,
        ),
        _external_id("5 KiB", lambda secret: secret + "x" * 5000),
        _setting("policy, quotes", f"credproc_policy = {_QUOTED}", sent="Policy", value=_QUOTED),
        _setting(
            "policy, line ends",
            'credproc_policy = {"Version": "2012-10-17",\n  "Statement": []}',
            sent="Policy",
            value='{"Version": "2012-10-17",\n"Statement": []}',
        ),
        _setting("policy, 5 KiB", f"credproc_policy = {_LARGE}", Kind.DENIED, "AssumeRole: ValidationError"),
        _setting(
            "policy, no JSON",
            f"credproc_policy = {_QUOTED[:-1]}",
            Kind.CONFIG,
            r"~/\.aws/config:\d+: credproc_policy .*JSON",
        ),
    ),
    row(
        "F153",
        "duration_seconds out of range, or above an hour in a chain",
        *(
            _setting(
                value,
                f"duration_seconds = {value}",
                Kind.CONFIG,
                r"~/\.aws/config:\d+: duration_seconds .*900 to 43200",
            )
            for value in ("899", "43201", "abc", "9" * 5000)
        ),
        *(
            _setting(value, f"duration_seconds = {value}", sent="DurationSeconds", value=value)
            for value in ("900", "43200")
        ),
        Case("a chain", before=_chained, undo=lambda s: s.config(), check=_capped),
    ),
    row(
        "F154",
        "modules planted in the working directory",
        _planted("installed, directory", frozen=False, python_path=False),
        _planted("frozen, directory", frozen=True, python_path=False),
        _planted("frozen, PYTHONPATH", frozen=True, python_path=True),
        _planted("frozen, PYTHONPATH, a hit", frozen=True, python_path=True, warm=True),
    ),
    row(
        "F155",
        "two versions of credproc in turn",
        Case("two formats", run=_interleaved, calls=2),
    ),
    row(
        "F157",
        "the installed modules vanish during the run",
        Case("while a person types", run=_vanishing, mfa=True),
    ),
    row(
        "F158",
        "the frozen program's directory is partly unreadable",
        _unreadable("credproc/cli.pyc"),
        _unreadable("credproc/errors.pyc"),
        _unreadable("credproc/plan/__init__.pyc", missing=True),
        _unreadable("credproc/aws/client.pyc"),
        _unreadable("ssl.pyc", missing=True),
    ),
    row(
        "F159",
        "a PATH of 10,000 entries, an environment of 1 MiB",
        Case("a refresh", wrapper=_WITH_MUCH),
        Case("a prompt", wrapper=_WITH_MUCH, mfa=True),
        Case(
            "credential_process",
            before=_by_name("credential_process"),
            arguments=("--profile", "runs"),
            wrapper=_WITH_MUCH,
        ),
        Case(
            "mfa_process",
            Kind.MFA,
            before=_by_name("mfa_process"),
            wrapper=_WITH_MUCH,
            mfa=True,
            undo=lambda s: s.config(),
            says="mfa_process: AWS rejected that code",
        ),
    ),
    row(
        "F160",
        "one second of the processor",
        _processor(0, Kind.DOCUMENT, Kind.SIGNAL),
        *(_processor(used, Kind.DOCUMENT, Kind.SIGNAL, deep=True) for used in (0.3, 0.5, 0.6, 0.8, 0.9, 0.95)),
        _processor(0.7, Kind.DOCUMENT, Kind.SIGNAL),
        _processor(0.97, Kind.SIGNAL),
        Case("while a person types", Kind.SIGNAL, signals=(signal.SIGXCPU,), run=_limit_reached, mfa=True),
    ),
)
