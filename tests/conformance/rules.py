"""The rules: each looks at what came of some runs, and says what it saw.

A rule's name is its id, its docstring the sentence. ``protects`` names who depends on it, ``source`` the headings of
CONTRACT.md that it comes from: rules (R6) and parts (1.3).
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tests.conformance.asking import Asked, ask
from tests.conformance.runs import BOM, Run, run
from tests.conformance.subject import USER_DATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.subject import OnTerminal, Subject

State = Literal["ok", "info", "FAIL", "skip"]


class Found(NamedTuple):
    """What a rule saw. ``info``: worth knowing, and no failure; ``skip``: it could not be looked at."""

    state: State
    observed: str


class Rule(NamedTuple):
    """A rule, and how it is checked."""

    id: str
    says: str
    expected: str
    protects: str
    source: str
    needs: Literal["start", "document", "failing", "asking"]
    check: Callable[[Subject], Found]

    def found(self, subject: Subject) -> Found:
        """Check the rule, where the subject has what it needs."""
        if self.needs == "failing" and subject.failing is None:
            return Found("skip", "no command that fails was given (--failing)")
        if self.needs == "asking" and subject.asking is None:
            return Found("skip", "no command that asks a person was given (--asking)")
        if self.needs == "document" and subject.plain.document is None:
            return Found("skip", "there is no document")
        return self.check(subject)


RULES: list[Rule] = []


def rule(
    *,
    expected: str,
    protects: str,
    source: str,
    needs: Literal["start", "document", "failing", "asking"] = "document",
) -> Callable[[Callable[[Subject], Found]], Callable[[Subject], Found]]:
    """Make a rule of the function."""

    def add(check: Callable[[Subject], Found]) -> Callable[[Subject], Found]:
        identity = check.__name__.strip("_").replace("_", "-")
        RULES.append(Rule(identity, (check.__doc__ or "").strip(), expected, protects, source, needs, check))
        return check

    return add


def judged(good: bool, observed: str) -> Found:  # noqa: FBT001 - the verdict is what it is about
    """Return ok or FAIL."""
    return Found("ok" if good else "FAIL", observed)


def a_document(subject: Subject, ran: Run) -> Found:
    """Hold that a run gave a document."""
    return judged(ran.document is not None, described(subject, ran))


def described(subject: Subject, ran: Run) -> str:
    """Say in words what came of a run; never what was on stdout."""
    if ran.status is None:
        return f"had not ended after {ran.seconds or subject.limits.bounded:.1f} s"
    if ran.document is not None:
        return "a document"
    said = ran.stderr.strip().splitlines()[:1]
    return (
        f"status {ran.status}, {len(ran.stdout)} bytes on stdout that are no document"
        if ran.stdout
        else f"status {ran.status}, stdout empty"
    ) + (f", stderr {subject.shown(said[0])}" if said else "")


def kind(value: object) -> str:
    """Name a JSON value's kind, without the value."""
    kinds = {dict: "an object", list: "a list", bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return "null" if value is None else "an empty string" if value == "" else kinds[type(value)]


# The run


@rule(
    expected="ends within 10 s",
    protects="cron, CI, IDEs; botocore, JS, Java and Ruby, which wait without a limit",
    source="R4",
    needs="start",
)
def no_terminal(subject: Subject) -> Found:
    """Without a terminal (setsid) the helper ends by itself."""
    ran = subject.plain
    return judged(
        ran.status is not None, f"{'ended' if ran.status is not None else 'killed'} after {ran.seconds:.2f} s"
    )


@rule(expected="exit status 0", protects="every SDK but PHP and C++, which ignore it", source="1.4", needs="start")
def answers(subject: Subject) -> Found:
    """A run that has credentials exits with status 0."""
    ran = subject.plain
    if ran.status is None:
        return Found("skip", "it did not end")
    return judged(ran.status == 0, "exit status 0" if ran.status == 0 else described(subject, ran))


@rule(
    expected="a name given after `/`, two words or more, none quoted",
    protects="botocore, minio-go, fluent-bit (no shell); Go v1 and v2 (a leading quote loses the arguments)",
    source="1.1",
    needs="start",
)
def line(subject: Subject) -> Found:
    """The line is split alike by everyone: absolute path, an argument, nothing that a shell would read."""
    odd = sorted(set(re.findall(r"[^\w./:=@+,% -]", subject.line, re.ASCII)))
    wrong = [f"has {' '.join(odd)}"] if odd else []
    wrong += [] if subject.line.startswith("/") else ["starts with no absolute path"]
    wrong += [] if len(subject.line.split()) > 1 else ["is one word"]
    return judged(not wrong, f"the line {', '.join(wrong)}" if wrong else f"{len(subject.argv)} plain words")


# The document


@rule(
    expected="one JSON object in UTF-8",
    protects="every SDK parses all of stdout; Go quotes it in its error, secrets included",
    source="R1 R15",
    needs="start",
)
def one_document(subject: Subject) -> Found:
    """Stdout holds one JSON object and nothing else."""
    ran = subject.plain
    if ran.status != 0:
        return Found("skip", "no run that succeeded")
    return judged(
        ran.document is not None, f"{len(ran.stdout)} bytes that are {'' if ran.document else 'not '}one object"
    )


@rule(expected="no BOM", protects="botocore, Go, Ruby, C++ (JS alone trims it)", source="R1 1.2")
def no_bom(subject: Subject) -> Found:
    """No byte order mark stands before the document."""
    return judged(not subject.plain.stdout.startswith(BOM), "a BOM" if subject.plain.stdout.startswith(BOM) else "none")


@rule(
    expected="`{` first, `}` or `}` and a newline last",
    protects="hand-written parsers; Kotlin's reader",
    source="R1",
)
def nothing_around(subject: Subject) -> Found:
    """Before the document stands nothing, behind it one newline or none."""
    data = subject.plain.stdout.removeprefix(BOM)
    before, behind = len(data) - len(data.lstrip()), data[len(data.rstrip()) :]
    return judged(not before and behind in {b"", b"\n"}, f"{before} bytes before, {behind.decode()!a} behind")


@rule(expected="each name once", protects="strict decoders (Rust, .NET)", source="1.2")
def names_once(subject: Subject) -> Found:
    """No name stands in the document twice, not in another case either."""
    names: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names[:] = [name.lower() for name, _ in pairs]  # the outermost object comes last
        return dict(pairs)

    json.loads(subject.plain.stdout.removeprefix(BOM).decode(), object_pairs_hook=note)
    twice = sorted({name for name in names if names.count(name) > 1})
    return judged(not twice, f"{', '.join(twice)} twice" if twice else f"{len(names)} names")


@rule(
    expected="one write",
    protects="Kotlin (appends its whole buffer per read), readers that take one read",
    source="R1 R6",
)
def one_write(subject: Subject) -> Found:
    """The document is written whole, by one write."""
    ran, sizes = subject.counted
    if ran.document is None:
        return Found("skip", "it does not write to a socket of packets")
    return judged(
        len(sizes) == 1, f"{len(sizes)} write{'s' * (len(sizes) != 1)}: {', '.join(map(str, sizes[:8]))} bytes"
    )


@rule(expected="one line", protects="nobody today: parsers take both; a reader of lines would not", source="R6")
def compact(subject: Subject) -> Found:
    """The document is one line."""
    lines = subject.plain.stdout.strip().count(b"\n") + 1
    return Found("ok" if lines == 1 else "info", f"{lines} line{'s' * (lines != 1)}")


@rule(
    expected="below 8192 bytes, better 4096",
    protects="Go v1 (cuts at 8192), fluent-bit (error at 8192), Java (64000), Ruby (a pipe's capacity)",
    source="R6",
)
def size(subject: Subject) -> Found:
    """The document is small."""
    length = len(subject.plain.stdout)
    return Found("FAIL" if length >= 8192 else "info" if length >= 4096 else "ok", f"{length} bytes")


@rule(expected="the number 1", protects="botocore, Go, JS, Java, Rust, Ruby, .NET, C++", source="1.2")
def version(subject: Subject) -> Found:
    """Version is the number 1."""
    value = (subject.plain.document or {}).get("Version", "none")
    good = type(value) is int and value == 1
    return judged(
        good, "1" if good else f"{kind(value)}, {subject.shown(str(value))}" if value != "none" else "no Version"
    )


@rule(
    expected="non-empty strings", protects="every SDK; CRT and Go refuse empty ones, JS and C++ use them", source="1.2"
)
def keys(subject: Subject) -> Found:
    """AccessKeyId and SecretAccessKey are non-empty strings."""
    return strings(subject, ("AccessKeyId", "SecretAccessKey"), required=True)


@rule(expected="a non-empty string; there, where the key is an ASIA… one", protects="every SDK", source="1.2")
def session_token(subject: Subject) -> Found:
    """SessionToken is a non-empty string, and there for temporary keys."""
    key = (subject.plain.document or {}).get("AccessKeyId")
    return strings(subject, ("SessionToken",), required=isinstance(key, str) and key.startswith("ASIA"))


@rule(expected="a string, or absent", protects="Go v2, Java, Rust, .NET, CRT: a number is a type error", source="1.2")
def account_id(subject: Subject) -> Found:
    """AccountId is a string where there is one."""
    return strings(subject, ("AccountId",), required=False)


def strings(subject: Subject, names: tuple[str, ...], *, required: bool) -> Found:
    """Hold that these are non-empty strings; null is another rule's."""
    document = subject.plain.document or {}
    seen = {name: kind(document[name]) if name in document else "absent" for name in names}
    allowed = {"a string", "null"} | (set() if required else {"absent"})
    return judged(set(seen.values()) <= allowed, ", ".join(f"{name} {what}" for name, what in seen.items()))


@rule(expected="no null", protects=".NET (throws), strict decoders", source="1.2")
def no_null(subject: Subject) -> Found:
    """No value is null."""
    names = [name for name, value in (subject.plain.document or {}).items() if value is None]
    return judged(not names, f"null: {', '.join(map(ascii, names))}" if names else "none")


@rule(
    expected="there, with a SessionToken",
    protects="all: without it SDKs never refresh; minio-go runs the helper at every request",
    source="R5 1.2",
)
def expiration_there(subject: Subject) -> Found:
    """Temporary credentials say when they expire."""
    document = subject.plain.document or {}
    good = "Expiration" in document or "SessionToken" not in document
    return judged(good, "there" if "Expiration" in document else "absent")


@rule(
    expected="YYYY-MM-DDTHH:MM:SSZ",
    protects="fluent-bit, AWS.jl (Z only), Java before 2021; forms without a zone or with UTC: Go, JS, Ruby, botocore",
    source="R5",
)
def expiration_form(subject: Subject) -> Found:
    """Expiration has the one form that all consumers parse."""
    value = (subject.plain.document or {}).get("Expiration")
    if value is None:
        return Found("skip", "no Expiration")
    return judged(form_of(value) is not None, subject.shown(str(value), 40) if isinstance(value, str) else kind(value))


def form_of(value: object) -> datetime | None:
    """Return the time of a string of the one good form."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value, re.ASCII):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def seconds_left(subject: Subject) -> float | None:
    """Return the seconds until Expiration, of any form that Python reads."""
    value = (subject.plain.document or {}).get("Expiration")
    try:
        found = form_of(value) or datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp() - time.time()


@rule(expected="in the future", protects="JS, PHP, .NET refuse expired ones; Go, Ruby, CRT use them", source="R9")
def not_expired(subject: Subject) -> Found:
    """The credentials have not expired."""
    left = seconds_left(subject)
    return Found("skip", "no Expiration that can be read") if left is None else judged(left > 0, f"{left:.0f} s left")


@rule(
    expected="more than 900 s left (60 s for a short session)",
    protects="botocore and .NET (helper run again at every request below 900 s), JS, CRT, Java, Ruby (300 s)",
    source="R9 R10",
)
def lifetime(subject: Subject) -> Found:
    """The credentials live longer than the SDKs' refresh windows."""
    left = seconds_left(subject)
    if left is None or left <= 0:
        return Found("skip", "no Expiration that can be read" if left is None else "expired")
    return judged(left > (60 if subject.short_lived else 900), f"{left:.0f} s left")


@rule(expected="the same document", protects="JS, Ruby, CRT, Terraform: helper run again and again", source="R8 R11")
def second_run(subject: Subject) -> Found:
    """A second run gives the document of the first (a cache)."""
    runs = [ran.document for ran in subject.again]
    same = runs[0] == runs[1] if subject.is_cold else subject.plain.document in runs
    return Found("ok" if same else "info", "the same document" if same else "another document")


@rule(expected="within 1 s", protects="every SDK, at each start and refresh; Rust gave 5 s", source="R8")
def fast(subject: Subject) -> Found:
    """A run after the first is quick."""
    seconds = min(ran.seconds for ran in subject.again)
    return judged(seconds <= subject.limits.fast, f"{seconds * 1000:.0f} ms")


# Manners


@rule(
    expected="0 bytes",
    protects="aws-sdk-cpp up to 1.11.4 (2>&1: one byte, and requests go out unsigned)",
    source="R2",
)
def stderr_empty(subject: Subject) -> Found:
    """Stderr is empty on success."""
    runs = [subject.plain, *subject.again, subject.stdin_at_end, subject.in_front.run]
    said = next((ran.stderr for ran in runs if ran.stderr and ran.document is not None), b"")
    return judged(not said, f"{len(said)} bytes: {subject.shown(said)}" if said else "0 bytes")


@rule(
    expected="end with the program",
    protects="botocore, JS, Rust (wait for the end of stdout and stderr, for ever)",
    source="1.1 1.5",
    needs="start",
)
def streams_released(subject: Subject) -> Found:
    """No process that outlives the run holds its stdout or stderr."""
    ran = subject.plain
    return judged(not ran.held, f"held by {ran.left} process(es) half a second later" if ran.held else "released")


@rule(expected="within 200 ms", protects="fluent-bit (fails, and kills)", source="R6")
def prompt_exit(subject: Subject) -> Found:
    """The program exits soon after it has closed stdout."""
    lingered = min(ran.lingered for ran in (subject.plain, *subject.again))
    return judged(lingered <= subject.limits.lingering, f"{lingered * 1000:.0f} ms later")


@rule(expected="a document", protects="daemons that close their streams", source="R3 1.5")
def stdin_closed(subject: Subject) -> Found:
    """It works with stdin closed."""
    return a_document(subject, subject.stdin_closed)


@rule(expected="a document", protects="minio-go, fluent-bit, cron, CI", source="R3 1.5")
def stdin_at_end(subject: Subject) -> Found:
    """It works with stdin at its end."""
    return a_document(subject, subject.stdin_at_end)


@rule(expected="a document", protects="JS, Java, Kotlin (a socket or pipe that is never closed)", source="R3")
def stdin_open(subject: Subject) -> Found:
    """It works with a stdin that is open for ever."""
    return a_document(subject, subject.stdin_open)


@rule(
    expected="a document, and every byte still there",
    protects="botocore, Go, Rust, Ruby, PHP, .NET (stdin inherited): `tar … | aws s3 cp - …`",
    source="R3",
)
def stdin_data(subject: Subject) -> Found:
    """User data on stdin, be it a pipe or a file, is not consumed."""
    (piped, rest), (filed, position) = subject.stdin_pipe, subject.stdin_file
    for ran in (piped, filed):
        if ran.document is None:
            return a_document(subject, ran)
    taken = len(USER_DATA) - len(rest)
    return judged(not taken and not position, f"{taken} bytes taken from a pipe, {position} from a file")


@rule(expected="a document, and every byte still there", protects="who types ahead in a shell", source="R3")
def typed_ahead(subject: Subject) -> Found:
    """What was typed on the terminal is not eaten."""
    seen = subject.in_front
    return on_terminal(subject, seen, seen.pending == seen.typed, f"{seen.typed - seen.pending} bytes eaten")


@rule(expected="settings and foreground as before", protects="the shell that the user comes back to", source="R7 1.5")
def terminal_kept(subject: Subject) -> Found:
    """The terminal's settings are as they were."""
    seen = subject.in_front
    kept = f"settings {'kept' if seen.settings_kept else 'changed'}"
    front = f"foreground {'given back' if seen.in_front else 'kept'}"
    return on_terminal(subject, seen, seen.settings_kept and seen.in_front, f"{kept}, {front}")


@rule(expected="a document", protects="`terraform plan &`; editors started in the background", source="R4 1.5")
def background(subject: Subject) -> Found:
    """It is not stopped in the background of a terminal."""
    seen = subject.behind
    return on_terminal(subject, seen, good=True, observed="a document")


def on_terminal(subject: Subject, seen: OnTerminal, good: bool, observed: str) -> Found:  # noqa: FBT001 - as judged()
    """Return ok or FAIL for a run on a terminal; FAIL where it gave no document."""
    if seen.run.document is None:
        return Found("FAIL", "stopped, or no end" if seen.run.status is None else described(subject, seen.run))
    return judged(good, observed)


@rule(expected="the whole document", protects="Java, Kotlin, Ruby (read after the exit or in pieces)", source="R6 1.1")
def slow_reader(subject: Subject) -> Found:
    """A reader that is slow gets the whole document."""
    return a_document(subject, subject.read_slowly)


@rule(expected="a document each, stderr empty", protects="Terraform, Java, CDK, parallel clients", source="R11")
def parallel(subject: Subject) -> Found:
    """Many runs at once all give a document."""
    bad = [ran for ran in subject.at_once if ran.document is None or (ran.stderr and not subject.plain.stderr)]
    number = len(subject.at_once)
    return judged(not bad, f"{number - len(bad)} of {number}" + (f"; {described(subject, bad[0])}" if bad else ""))


@rule(expected="one set of credentials", protects="STS's limits, and whoever types an MFA code", source="R11")
def parallel_same(subject: Subject) -> Found:
    """Many runs at once give the same credentials."""
    tokens = {
        (ran.document.get("AccessKeyId"), ran.document.get("SessionToken")) for ran in subject.at_once if ran.document
    }
    return (
        judged(len(tokens) == 1, f"{len(tokens)} set{'s' * (len(tokens) != 1)}")
        if tokens
        else Found("skip", "no documents")
    )


@rule(expected="ends within 5 s, leaves no process", protects="whoever gives up: Rust, Java, Ctrl-C", source="R7")
def reader_gone(subject: Subject) -> Found:
    """It ends when nobody reads its stdout any more."""
    ran = subject.unread
    ended = "had to be killed" if ran.status is None else f"ended after {ran.seconds:.2f} s"
    return judged(ran.status is not None and not ran.left, f"{ended}, {ran.left} processes left")


@rule(
    expected="ends within 5 s, leaves no process", protects="Go v1 and v2 (kill the shell only), Rust", source="R7 1.5"
)
def parent_killed(subject: Subject) -> Found:
    """It ends when its parent is killed."""
    left, seconds = subject.orphaned
    return judged(not left, f"{left} processes left" if left else f"nothing left after {seconds:.2f} s")


@rule(
    expected="a document by `sh -c LINE` as by argv", protects="Go, JS, Java, Rust, .NET, C++, CRT, Ruby", source="1.1"
)
def shell(subject: Subject) -> Found:
    """It works with a shell as without one."""
    return a_document(subject, subject.through_shell)


@rule(
    expected="exit status not 0, stdout empty",
    protects="botocore (passes `# comment` as arguments): a misread line must not act",
    source="1.1",
)
def comment(subject: Subject) -> Found:
    """Words behind the line are refused."""
    ran = subject.commented
    return judged(ran.status not in {0, None} and not ran.stdout, described(subject, ran))


@rule(expected="a document", protects="long-running programs whose directory was removed", source="1.1")
def no_directory(subject: Subject) -> Found:
    """It works in a directory that has been removed."""
    return a_document(subject, subject.elsewhere)


@rule(expected="a document, or a failure with stdout empty", protects="systemd units, containers", source="1.1")
def no_home(subject: Subject) -> Found:
    """Without HOME it works or fails cleanly."""
    ran = subject.homeless
    clean = ran.status not in {0, None} and not ran.stdout and not is_traceback(ran.stderr)
    return judged(ran.document is not None or clean, described(subject, ran))


@rule(
    expected="a document",
    protects="all: AWS_PROFILE names the profile with the line, so a helper that reads it loops",
    source="R14 1.1",
)
def caller_profile(subject: Subject) -> Found:
    """AWS_PROFILE, which names the caller's profile, changes nothing."""
    return a_document(subject, subject.with_profile)


@rule(
    expected="a document with 0 and 2 closed; with all closed, an end", protects="daemons, CRT's popen", source="1.1 R3"
)
def streams_closed(subject: Subject) -> Found:
    """It works with the other streams closed, and ends with all closed."""
    if subject.without_stderr.document is None:
        return a_document(subject, subject.without_stderr)
    status = subject.without_streams.status
    return judged(status is not None, "no end with all closed" if status is None else f"a document; status {status}")


# Failure


@rule(expected="not 0", protects="every SDK but PHP and C++, which ignore it", source="1.4", needs="failing")
def failing_status(subject: Subject) -> Found:
    """A failure has an exit status that is not 0."""
    ran = failed(subject)
    return judged(ran.status != 0, f"status {ran.status}")


@rule(expected="ends within 10 s", protects="whoever waits; Rust (22 s), Go (60 s)", source="R4", needs="failing")
def failing_time(subject: Subject) -> Found:
    """A failure comes in time."""
    ran = failed(subject)
    return judged(
        ran.status is not None, f"{'ended' if ran.status is not None else 'killed'} after {ran.seconds:.2f} s"
    )


@rule(expected="0 bytes", protects="PHP and C++ (ignore the status), Go (quotes stdout)", source="1.4", needs="failing")
def failing_stdout(subject: Subject) -> Found:
    """Nothing is on stdout after a failure."""
    return judged(not failed(subject).stdout, f"{len(failed(subject).stdout)} bytes")


@rule(expected="at most 4096 bytes", protects="Java and Kotlin (read it after the exit)", source="1.4", needs="failing")
def failing_size(subject: Subject) -> Found:
    """The message is short."""
    length = len(failed(subject).stderr)
    return judged(length <= 4096, f"{length} bytes")


@rule(expected="valid UTF-8", protects="botocore (strict decoding: UnicodeDecodeError)", source="1.4", needs="failing")
def failing_utf8(subject: Subject) -> Found:
    """The message is UTF-8."""
    try:
        failed(subject).stderr.decode()
    except UnicodeDecodeError as error:
        return Found("FAIL", f"not at byte {error.start}")
    return Found("ok", "valid")


@rule(
    expected="the first line says what is wrong; no traceback",
    protects="botocore, Java, Rust, .NET, Kotlin (quote it in a sentence); C++ and CRT's log",
    source="1.4",
    needs="failing",
)
def failing_message(subject: Subject) -> Found:
    """The message reads well behind “Error when retrieving credentials from custom-process: ”."""
    said = failed(subject).stderr
    first = said.split(b"\n")[0]
    plain = first.decode("utf-8", "replace").replace("\ufffd", "?").isprintable() and first == first.lstrip()
    good = bool(first) and plain and not is_traceback(said)
    if is_traceback(said) or not said.strip():
        return Found("FAIL", "a traceback" if said.strip() else "no message")
    return judged(good, subject.shown(first) if first else f"an empty line, then {subject.shown(said.lstrip())}")


@rule(expected="no secret", protects="every SDK that quotes it: logs, CI output", source="R15", needs="failing")
def failing_secret(subject: Subject) -> Found:
    """The message holds no secret of the document or the environment."""
    there = [value for value in subject.secrets if value.encode() in failed(subject).stderr]
    return judged(not there, f"{len(there)} secret(s)" if there else "none")


def failed(subject: Subject) -> Run:
    """Return the run that fails."""
    assert subject.failed is not None, "the rule needs one"
    return subject.failed


def is_traceback(said: bytes) -> bool:
    """Tell whether a program has died of a bug in front of everybody."""
    return any(sign in said for sign in (b"Traceback (most recent call last)", b"goroutine 1 [", b"\n\tat "))


# With nobody to answer


@rule(expected="ends within 5 s, status not 0, stdout empty", protects="cron, CI, IDEs", source="R4", needs="asking")
def asking_without_terminal(subject: Subject) -> Found:
    """Where a person is needed and there is no terminal, it fails at once."""
    ran = run(shlex.split(subject.asking or ""), subject.environ, subject.limits.gone)
    return judged(ran.status not in {0, None} and not ran.stdout, f"{described(subject, ran)}; {ran.seconds:.2f} s")


@rule(
    expected="a question, and stdout and stderr empty meanwhile",
    protects="botocore, JS, Java, Rust (stderr captured): the user would see nothing",
    source="R3",
    needs="asking",
)
def asking_on_terminal(subject: Subject) -> Found:
    """The question is asked on the terminal and nowhere else."""
    seen = asked(subject, lambda _, job: job.signal(signal.SIGKILL), 0)
    if not seen.asked:
        return Found("FAIL", "nothing was shown on the terminal")
    return judged(not seen.captured, f"a question; {len(seen.captured)} bytes on stdout and stderr")


@rule(
    expected="ends within 5 s, settings restored",
    protects="Go (kills the shell only): an orphan would steal keystrokes",
    source="R7",
    needs="asking",
)
def asking_parent_killed(subject: Subject) -> Found:
    """The question goes away when the caller is killed."""
    return withdrawn(asked(subject, lambda _, job: job.signal(signal.SIGKILL), subject.limits.gone, script='"$@"; :'))


@rule(
    expected="ends within 5 s, settings restored",
    protects="Rust, Java (give up and stop reading)",
    source="R7",
    needs="asking",
)
def asking_reader_gone(subject: Subject) -> Found:
    """The question goes away when nobody reads stdout any more."""
    return withdrawn(asked(subject, lambda _, job: job.close("stdout"), subject.limits.gone))


@rule(
    expected="ends within 5 s, settings restored",
    protects="the shell that the user comes back to",
    source="1.5",
    needs="asking",
)
def asking_interrupted(subject: Subject) -> Found:
    """Ctrl-C ends it."""
    return withdrawn(asked(subject, lambda terminal, _: terminal.send("\x03"), subject.limits.gone))


@rule(
    expected="ends within 55 s, settings restored",
    protects="Rust (22 s, 5 s before mid-2026), Go, Kotlin, fluent-bit (60 s); all others wait for ever",
    source="R7",
    needs="asking",
)
def asking_deadline(subject: Subject) -> Found:
    """A question that nobody answers goes away."""
    if not subject.patient:
        return Found("skip", "takes a minute (--patient)")
    return withdrawn(asked(subject, lambda _, __: None, subject.limits.deadline))


@rule(
    expected="one question",
    protects="JS (runs a failing helper twice), Ruby (runs every helper twice)",
    source="R12",
    needs="asking",
)
def asking_once(subject: Subject) -> Found:
    """A question that was declined (Ctrl-D) is not asked again when the same caller runs the helper again at once."""
    seen = asked(subject, lambda terminal, _: terminal.send("\x04"), subject.limits.gone, script='"$@"; "$@"; :')
    if not seen.asked:
        return Found("skip", "nothing was shown on the terminal")
    return judged(not seen.left and seen.times == 1, f"{seen.times} questions" if seen.times != 1 else "one question")


def asked(subject: Subject, then: Any, limit: float, *, script: str = 'exec "$@"') -> Asked:
    """Run the command that asks on a terminal of its own."""
    subject.reset()
    return ask(shlex.split(subject.asking or ""), subject.environ, then, limit, script=script)


def withdrawn(seen: Asked) -> Found:
    """Hold that it asked, ended, and left the terminal as it was."""
    if not seen.asked:
        return Found("skip", "nothing was shown on the terminal")
    if seen.left:
        return Found("FAIL", f"still there after {seen.seconds:.0f} s")
    return judged(
        seen.settings_kept,
        f"ended after {seen.seconds:.2f} s, settings {'as before' if seen.settings_kept else 'changed'}",
    )
