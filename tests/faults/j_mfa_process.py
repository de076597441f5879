"""J. mfa_process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.rows import Check, Step
    from tests.faults.scene import Result, Scene
    from tests.terminal import Job

NO_CODE = "mfa_process: .*six digits"
START = "mfa_process: cannot be started"


def line(scene: Scene, command: str) -> None:
    """Have this command give the codes."""
    scene.config(f"mfa_process = {command}")


def write(path: Path, text: str, mode: int = 0o755) -> Path:
    """Write a program."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def printing(script: str) -> Step:
    """Have a program with this script give the codes; `$code` is the right one, and so is what a later run gets."""

    def before(scene: Scene) -> None:
        scene.codes.append(scene.user.unused_code())
        text = f"#!/bin/sh\ncode={scene.codes[-1]}\n{script}\n"
        line(scene, str(write(scene.path / "bin" / "token", text)))

    return before


def no_program(scene: Scene) -> None:
    """Have a person give the codes again."""
    scene.config()


def few_words(_: Scene, result: Result) -> None:
    """Hold that what a program says is not passed on."""
    assert len(result.stderr) <= 400, f"{len(result.stderr)} bytes"


def unanswered(scene: Scene) -> Result:
    """Run one without a terminal."""
    return scene.process(scene.argv(), scene.environ())


def unasked(scene: Scene) -> Result:
    """Run one on a terminal at which nobody is asked."""
    result = scene.on_terminal()
    assert result.prompts == 0, "a person was asked"
    return result


def started(what: str, path: str, said: str, make: Callable[[Path], object]) -> Case:
    """Return the case of a program that cannot be started."""

    def before(scene: Scene) -> None:
        make(scene.path / "bin")
        line(scene, f"{scene.path / 'bin'}/{path} --account aws")

    says = f"{START}: /.*/bin/{path}: {said}"
    return Case(what, Kind.CONFIG, before=before, run=unasked, undo=no_program, says=says, mfa=True, calls=0)


def failing(what: str, script: str, says: str, kind: Kind = Kind.MFA) -> Case:
    """Return the case of a program that runs and gives no code."""
    return Case(what, kind, before=printing(script), run=unasked, undo=no_program, says=says, mfa=True, calls=0)


def working(what: str, script: str, check: Check = lambda _, __: None) -> Case:
    """Return the case of a program that gives the code."""
    return Case(what, before=printing(script), run=unasked, check=check, mfa=True)


# Codes that have been used


def refused_before(second: str) -> Step:
    """Have a program print a code that STS has refused just now, and when it is run again this; `$code` is right."""

    def before(scene: Scene) -> None:
        path = scene.path / "bin" / "token"
        line(scene, str(write(path, "#!/bin/sh\necho 000000\n")))
        assert "AWS rejected that code" in scene.on_terminal().said
        step = (time.time() // 30 + 1) * 30  # the next one, whose code is good in this one and in the one behind it
        scene.codes.append(scene.user.code(step))
        again = f"cd {scene.path}; code={scene.codes[-1]}; [ ! -e once ] || {{ echo {second}; exit; }}; touch once"
        write(path, f"#!/bin/sh\n{again}; echo 000000\n")

    return before


# Where a program is looked for


USUAL = "/usr/bin:/bin"


def planted(what: str, command: str, path: str = USUAL, *, mode: int = 0o755, program: int = 0o755) -> Case:
    """Return the case of a program in the working directory, where a line and PATH lead, which must not be run."""

    def before(scene: Scene) -> None:
        scene.work.chmod(mode)
        write(scene.work / "token", f'#!/bin/sh\ntouch "{scene.path}/canary"\necho 123456\n', program)
        line(scene, command.format(scene.work))

    def run(scene: Scene) -> Result:
        result = scene.on_terminal(environ={**scene.environ(), "PATH": path.format(scene.work)})
        assert not (scene.path / "canary").exists(), "it was run"
        return result

    says = f"{START}: (./)?token: no such file" if mode == program == 0o755 else "is writable by others"
    return Case(what, Kind.UNSAFE, before=before, run=run, undo=no_program, says=says, mfa=True, calls=0)


# On the terminal


def with_touch(scene: Scene) -> Result:
    """Run one whose program asks on stderr and reads from stdin, and answer that."""
    began = time.monotonic()
    job: Job = scene.job()
    scene.terminal.expect("touch the key, then PIN: ")
    scene.terminal.send("42\n")
    return scene.result(job, began)


ASKING = """
[ "$(readlink /proc/self/fd/0)" = "$(readlink /proc/self/fd/2)" ] && [ -t 0 ] && [ -p /proc/self/fd/1 ] || exit 9
printf "touch the key, then PIN: " >&2; read pin; [ "$pin" = 42 ] && echo $code"""

FLOOD = "head -c 1048576 /dev/zero | tr '\\0' x >&2; echo >&2; echo 123456; exit 1"
STALE = "mfa_process: printed a code that has been used"

ROWS = (
    row(
        "F105",
        "mfa_process cannot be started",
        started("missing", "token", "no such file or directory", lambda _: None),
        started("not executable", "token", "permission denied", lambda at: write(at / "token", "#!/bin/sh\n", 0o644)),
        started("bad interpreter", "token", "no such file", lambda at: write(at / "token", "#!/no/such/interpreter\n")),
    ),
    row(
        "F106",
        "mfa_process fails, and says 1 MiB",
        Case(
            "no terminal",
            Kind.MFA,
            before=printing(FLOOD),
            run=unanswered,
            undo=no_program,
            check=few_words,
            says="mfa_process: exited with status 1",
            mfa=True,
            calls=0,
        ),
        Case(
            "terminal",
            Kind.MFA,
            before=printing(FLOOD),
            run=unasked,
            undo=no_program,
            check=few_words,
            says="mfa_process: exited with status 1",
            mfa=True,
            calls=0,
        ),
    ),
    row(
        "F107",
        "mfa_process hangs",
        Case(
            "for ever",
            Kind.TIMEOUT,
            before=printing("exec sleep 100"),
            run=unasked,
            undo=no_program,
            says="mfa_process: did not end in time, and was killed",
            mfa=True,
            calls=0,
            seconds=36,
        ),
        waits=True,
    ),
    row(
        "F108",
        "mfa_process prints more than a code",
        failing("10 MiB", "head -c 10485760 /dev/zero | tr '\\0' 1", NO_CODE),
        failing("binary", "head -c 100 /dev/urandom", NO_CODE),
        failing("two lines", "echo $code; echo 654321", NO_CODE),
        working("CR LF", "printf '%s\\r\\n' $code"),
        working("colour", "printf '\\033[32m%s\\033[0m\\n' $code"),
    ),
    row(
        "F109",
        "mfa_process prints a code that was refused a moment ago",
        Case(
            "twice",
            Kind.MFA,
            before=refused_before("000000"),
            run=unasked,
            undo=no_program,
            says=STALE,
            mfa=True,
            calls=0,
        ),
        Case("once", before=refused_before("$code"), run=unasked, mfa=True),
        waits=True,
    ),
    row(
        "F110",
        "mfa_process leaves a child behind that holds its stdout",
        Case("sleep", before=printing("env -i sleep 30 & echo $code"), run=unasked, mfa=True, seconds=10),
    ),
    row(
        "F111",
        "mfa_process where anybody may put one",
        planted("./", "./token"),
        planted("'.' in PATH", "token", f".:{USUAL}"),
        planted("'' in PATH", "token", f":{USUAL}"),
        planted("world-writable in PATH", "token", f"{{0}}:{USUAL}", mode=0o777),
        planted("world-writable", "{0}/token", mode=0o777),
        planted("sticky", "{0}/token", mode=0o1777),
        planted("the program itself", "{0}/token", program=0o757),
    ),
    row(
        "F112",
        "mfa_process needs the terminal",
        Case("a touch and a PIN", before=printing(ASKING), run=with_touch, mfa=True),
    ),
)
