"""Helpers that are wrong on purpose, one per rule, so that it is known that the kit can fail.

Each is a right helper, in sh, with one thing changed: its document, what it does before and how it says it, how it
fails, or how it asks.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.conformance.subject import Limits, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET = "not-a-secret-of-anyone-0123456789"
SAY = "printf '%s\\n' \"$DOCUMENT\""
REFUSE = "echo \"helper: error: profile: '$*' does not exist\" >&2; exit 2"
QUESTION = 'os.write(terminal, b"code: ")'
LIMITS = Limits(bounded=3, gone=2.5, fast=0.4, deadline=6)  # a helper that never ends costs these

# What tells a helper where it is; a wrong one that is wrong everywhere would break more rules than its own
_AT_END = "[ -p /dev/stdin ]"
_NULL = "[ /dev/stdin -ef /dev/null ]"
_SOCKET = "[ -S /dev/stdin ]"
_TERMINAL = "[ -t 0 ]"
_FRONT = "read -r _ _ _ _ group _ _ front _ </proc/$$/stat"
_PARENT = 'read -r parent </proc/"$PPID"/comm'

# Asks as it should: on the terminal, for four seconds at most, not for a caller that has gone, nor one that declined
ASK = """
import os, select, signal, sys, termios, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
try:
    terminal = os.open("/dev/tty", os.O_RDWR)
except OSError:
    sys.exit("helper: error: nobody to ask")
caller, end = os.getppid(), time.monotonic() + 4
declined = f"DIRECTORY/declined-{caller}"
if os.path.exists(declined):
    sys.exit("helper: error: declined")
stdout = select.poll()
stdout.register(1, 0)
os.write(terminal, b"code: ")
while os.getppid() == caller and not stdout.poll(0) and time.monotonic() < end:
    if select.select([terminal], [], [], 0.05)[0] and not os.read(terminal, 100):
        open(declined, "w").close()
        break
sys.exit("helper: error: nobody has answered")
"""


class Wrong(NamedTuple):
    """A helper, and what it breaks."""

    rule: str
    body: str = SAY
    also: tuple[str, ...] = ()  # rules that cannot be kept once this one is broken
    document: Mapping[str, object] = {}  # changes; None leaves a key out
    text: str | None = None  # of the document, where no dictionary makes it
    failing: str = REFUSE
    asking: tuple[str, str] | None = None  # what to replace in ASK, by what
    words: str = "profile"  # its arguments
    line: str = "{path} {words}"
    refuses: bool = True  # arguments that it does not know
    state: str = "FAIL"


def document(**changes: object) -> dict[str, Any]:
    """Return a document of credentials with an hour to live; a change to None leaves the key out."""
    found: dict[str, Any] = {
        "Version": 1,
        "AccessKeyId": "ASIA0EXAMPLE0EXAMPLE",
        "SecretAccessKey": SECRET,
        "SessionToken": f"token-{SECRET}",
        "Expiration": after(3600),
        "AccountId": "123456789012",
    }
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def after(seconds: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Return the time in so many seconds."""
    return time.strftime(form, time.gmtime(time.time() + seconds))


def written(directory: Path, wrong: Wrong) -> Subject:
    """Write the helper into this directory, and return what the kit is to examine."""
    text = json.dumps(document(**wrong.document)) if wrong.text is None else wrong.text
    check = f"[ \"$*\" = '{wrong.words}' ] || {{ {REFUSE}; }}" if wrong.refuses else ""
    path = _script(directory / "helper", f"DOCUMENT='{text}'\n{check}\n{wrong.body}")
    failing = _script(directory / "failing", f"DOCUMENT='{text}'\n{wrong.failing}")
    asking = None
    if wrong.asking is not None:
        (directory / "asking.py").write_text(ASK.replace("DIRECTORY", str(directory)).replace(*wrong.asking))
        asking = f"{sys.executable} -I -S {directory}/asking.py"
    return Subject(
        wrong.line.format(path=path, words=wrong.words),
        {"PATH": f"{directory}:{os.environ['PATH']}", "HOME": str(directory), "TURN": str(directory / "turn")},
        failing=failing,
        asking=asking,
        patient=wrong.rule in {"", "asking-deadline"},
        limits=LIMITS,
    )


def _script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


RIGHT = Wrong("", asking=("", ""))

WRONG = [
    # The run
    Wrong("no-terminal", "sleep 60"),
    Wrong("answers", f"{SAY}; exit 3"),
    Wrong("line", line="helper {words}"),
    # The document
    Wrong("one-document", f"echo Welcome; {SAY}"),
    Wrong("no-bom", f"printf '\\357\\273\\277'; {SAY}", also=("one-write",)),
    Wrong("nothing-around", "printf '%s\\n\\n' \"$DOCUMENT\""),
    Wrong("names-once", text=json.dumps(document()).replace("{", '{"version": 1, ')),
    Wrong("one-write", 'printf %s "$DOCUMENT"; echo'),
    Wrong("compact", text=json.dumps(document(), indent=2), state="info"),
    Wrong("size", f"{SAY} | dd bs=16k iflag=fullblock 2>/dev/null", document={"SessionToken": "x" * 9000}),
    Wrong("size", document={"SessionToken": "x" * 5000}, state="info"),
    Wrong("version", document={"Version": "1"}),
    Wrong("version", document={"Version": True}),
    Wrong("version", document={"Version": None}),
    Wrong("keys", document={"SecretAccessKey": ""}),
    Wrong("keys", document={"AccessKeyId": None}),
    Wrong("session-token", document={"SessionToken": None}),
    Wrong("account-id", document={"AccountId": 123456789012}),
    Wrong("no-null", text=json.dumps({**document(), "AccountId": None})),
    Wrong("expiration-there", document={"Expiration": None}),
    *(
        Wrong("expiration-form", document={"Expiration": after(3600, f"%Y-%m-%d{form}")})
        for form in ("T%H:%M:%S+00:00", "T%H:%M:%S.000Z", "T%H:%M:%SUTC", "T%H:%M:%S", " %H:%M:%SZ", "T%H:%M:%SZ ")
    ),
    Wrong("expiration-form", document={"Expiration": int(time.time()) + 3600}),
    Wrong("not-expired", document={"Expiration": after(-10)}),
    Wrong("lifetime", document={"Expiration": after(890)}),
    Wrong(
        "second-run",
        'echo >>"$TURN"; printf \'%s\\n\' "$DOCUMENT" | sed "s/token/$(wc -l <"$TURN")/"',
        also=("parallel-same",),
        state="info",
    ),
    Wrong("fast", f"if {_NULL}; then sleep 0.5; fi; {SAY}"),
    # Manners
    Wrong("stderr-empty", f"echo 'helper: using a cache' >&2; {SAY}"),
    Wrong("streams-released", f'if mkdir "$TURN" 2>/dev/null; then sleep 60 & fi; {SAY}'),
    Wrong("prompt-exit", f"{SAY}; if {_NULL}; then exec >&-; sleep 0.4; fi", also=("fast",)),
    Wrong("stdin-closed", f"[ -e /proc/self/fd/0 ] || exit 3; {SAY}", also=("streams-closed",)),
    Wrong("stdin-at-end", f"if {_AT_END}; then read -r answer || exit 3; fi; {SAY}", also=("stdin-data",)),
    Wrong("stdin-open", f"if {_SOCKET}; then cat >/dev/null; fi; {SAY}"),
    Wrong("stdin-data", f"if {_AT_END}; then cat >/dev/null; fi; {SAY}"),
    Wrong("stdin-data", f"if [ -f /dev/stdin ]; then read -r answer; fi; {SAY}"),
    Wrong("typed-ahead", f'{_FRONT}; if {_TERMINAL} && [ "$group" = "$front" ]; then read -r answer; fi; {SAY}'),
    Wrong("terminal-kept", f"if {_TERMINAL}; then (trap '' TTOU; stty -echo); fi; {SAY}"),
    Wrong("background", f'if {_TERMINAL}; then stty "$(stty -g)"; fi; {SAY}'),
    Wrong("slow-reader", f"{SAY} | dd oflag=nonblock 2>/dev/null"),
    Wrong("parallel", f'mkdir "$TURN" 2>/dev/null || exit 3; sleep 0.1; rmdir "$TURN"; {SAY}'),
    Wrong(
        "parallel-same",
        'mkdir "$TURN" 2>/dev/null || DOCUMENT="{\\"AccessKeyId\\":\\"$$\\"}"; sleep 0.05\n'
        f'{SAY}; rmdir "$TURN" 2>/dev/null; :',
    ),
    Wrong("reader-gone", f"trap '' PIPE; until {SAY} 2>/dev/null || [ ! -e /proc/self/fd/1 ]; do sleep 0.1; done"),
    Wrong(
        "parent-killed",
        f'{_PARENT}; if [ "$parent" = sh ]; then sleep 0.6; read -r _ _ _ now _ </proc/$$/stat; fi\n'
        f'[ "${{now:-$PPID}}" = "$PPID" ] || sleep 60; {SAY}',
    ),
    Wrong("shell", line='{path} "profile"', body=f'{_PARENT}; [ "$parent" != sh ] || exit 3; {SAY}', also=("line",)),
    Wrong("comment", refuses=False),
    Wrong("no-directory", f'[ -e "$(readlink /proc/$$/cwd)" ] || exit 3; {SAY}'),
    Wrong("no-home", f'[ -n "$HOME" ] || printf "{{"; {SAY}'),
    Wrong("caller-profile", f'[ -z "$AWS_PROFILE" ] || exit 3; {SAY}'),
    Wrong("streams-closed", f"[ -e /proc/self/fd/2 ] || exit 3; {SAY}"),
    Wrong("streams-closed", f"[ -e /proc/self/fd/1 ] || sleep 60; {SAY}"),
    # Failure
    Wrong("failing-status", failing="echo 'helper: error: no such profile' >&2"),
    Wrong("failing-time", failing="echo 'helper: error: no such profile' >&2; sleep 60"),
    Wrong("failing-stdout", failing=f"echo '{{}}'; {REFUSE}"),
    Wrong("failing-size", failing=f"yes 'helper: error' | head -n 400 >&2; {REFUSE}"),
    Wrong("failing-utf8", failing="printf 'helper: error: no such profile: \\344\\n' >&2; exit 1"),
    Wrong("failing-message", failing="exit 1"),
    Wrong("failing-message", failing=f"echo >&2; {REFUSE}"),
    Wrong("failing-message", failing="printf '\\033[31merror\\n' >&2; exit 1"),
    Wrong("failing-message", failing=f"{sys.executable} -I -S -c 'import nothing'"),
    Wrong("failing-secret", failing='echo "helper: error: cannot parse $DOCUMENT" >&2; exit 1'),
    # With nobody to answer
    Wrong("asking-without-terminal", asking=('sys.exit("helper: error: nobody to ask")', "time.sleep(60)")),
    Wrong("asking-on-terminal", asking=(QUESTION, f"{QUESTION}; os.write(2, b'code: ')")),
    Wrong("asking-on-terminal", asking=("os.write(terminal", "os.write(2")),
    Wrong("asking-parent-killed", asking=("os.getppid() == caller and ", "")),
    Wrong("asking-reader-gone", asking=("not stdout.poll(0) and ", "")),
    Wrong("asking-interrupted", asking=("signal.SIG_DFL", "signal.SIG_IGN")),
    Wrong(
        "asking-interrupted",
        asking=(QUESTION, f"{QUESTION}; os.system('stty -echo <>/dev/tty')"),
        also=("asking-parent-killed", "asking-reader-gone"),
    ),
    Wrong("asking-once", asking=("os.path.exists(declined)", "False")),
    Wrong("asking-deadline", asking=("time.monotonic() + 4", "time.monotonic() + 60")),
]
