"""D. Cache content."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from credproc import cache
from credproc.files import PrivateDirectory
from tests.faults.rows import Case, Kind, row
from tests.sts import with_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.scene import Result, Scene

_DAMAGED = r"entry not used: it is damaged"


def _settled(scene: Scene) -> None:
    """Leave an entry that is served."""
    scene.warm()
    scene.home.settle()


def _plant(content: bytes | Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    """Return the step that puts this into the place of the entry, or what it makes of the entry."""

    def plant(scene: Scene) -> None:
        _settled(scene)
        path = scene.entry
        path.write_bytes(content if isinstance(content, bytes) else content(path.read_bytes()))

    return plant


def _healed(scene: Scene, result: Result) -> None:
    """The entry is whole again, and holds what was printed."""
    directory = PrivateDirectory(str(scene.cache))
    entry = cache.load(directory, scene.entry.name)
    directory.close()
    assert entry is not None
    assert entry.document == result.stdout
    assert scene.sts.count("AssumeRole") == 2, "it was no miss"


def _every_length(scene: Scene) -> list[Result]:
    """Cut the entry at every offset: the reader must miss each; and run credproc for some of them."""
    whole = scene.entry.read_bytes()
    directory = PrivateDirectory(str(scene.cache))
    name = scene.entry.name
    for length in range(len(whole)):
        scene.entry.write_bytes(whole[:length])
        assert cache.load(directory, name) is None, f"an entry of {length} of {len(whole)} bytes is read"
    directory.close()
    results = []
    lengths = range(0, len(whole), 50 if scene.deep else 500)
    for length in lengths:
        scene.entry.write_bytes(whole[:length])
        results.append(scene.run())
    scene.injections = len(whole) + len(lengths)
    return results


def _edited(change: Callable[[dict[str, Any]], None], *, until: float | None = None) -> Callable[[Scene], None]:
    """Return the step that writes the entry anew, well formed, with other words about itself or other times."""

    def edit(scene: Scene) -> None:
        _settled(scene)
        with scene.home.edited_entry() as (entry, about):
            change(about)
            entry.fingerprint = "another"  # so that what it says of itself is looked at
            if until is not None:
                entry.served_until = int(time.time() + until)

    return edit


_NO_ENDS: tuple[object, ...] = ("2026-01-01T00:00:00Z", None, 1e300, [])


def _ending(value: object) -> Callable[[dict[str, Any]], None]:
    return lambda about: about.update(expiration=value)


def _other_account(about: dict[str, Any]) -> None:
    (role,) = about["plan"]["roles"]
    role["RoleArn"] = role["RoleArn"].replace("123456789012", "999999999999")


def _swap(scene: Scene) -> None:
    """Put the entry of another profile, which is another account's role, into the place of admin's."""
    scene.sts.role("arn:aws:iam::999999999999:role/other", scene.role.trust)
    other = ["[profile other]", "role_arn = arn:aws:iam::999999999999:role/other", "source_profile = user1"]
    scene.config(other="\n".join([*other, "region = us-west-2", f"external_id = {scene.external_id}"]))
    scene.warm()
    mine = scene.entry
    assert scene.process(scene.argv(("--profile", "other")), scene.environ()).status == 0
    (other_entry,) = (path for path in scene.home.entries if path != mine)
    mine.write_bytes(other_entry.read_bytes())
    scene.home.settle()


def _is_of_the_role(scene: Scene, result: Result) -> None:
    document = json.loads(result.stdout)
    assert document["AccountId"] == "123456789012"
    issued = scene.sts.iam.credentials(document["AccessKeyId"])
    assert issued is not None
    assert issued.role_arn == scene.role.arn


def _rotated(scene: Scene) -> None:
    """End the keys that the entry and the session came from, and give the user others."""
    scene.warm()
    scene.expire()
    scene.sts.revoke(scene.user)
    scene.user = scene.sts.user("user1", mfa=True)
    scene.home.keys("user1", scene.user)


def _session_ended(end: Callable[[Scene, str], None]) -> Callable[[Scene], None]:
    def step(scene: Scene) -> None:
        scene.warm()
        scene.expire()
        (session,) = (each for each in scene.sts.iam.given() if each.kind == "user session")
        end(scene, session.access_key_id)

    return step


def _asked_once(scene: Scene, result: Result) -> None:
    assert result.prompts == 1
    assert scene.sts.count("GetSessionToken", "OK") == 2


def _grow(scene: Scene) -> Result:
    """Run credproc while another process makes its entry longer and longer."""
    child = scene.start(["sh", "-c", f"while :; do echo {'x' * 4000} >>'{scene.entry}' || exit; done"], {})
    try:
        return scene.run()
    finally:
        child.kill()
        child.wait()


_NESTED = b"[" * 10_000
_TYPES = {
    "list": b"[]",
    "null": b"null",
    "number": b"1e400",
    "nested 10,000 deep": _NESTED,
    "NaN": b'{"expiration": NaN}',
    "10 to the 400": b'{"expiration": 1' + b"0" * 400 + b"}",
    "duplicate keys": b'{"plan": {}, "plan": []}',
    "a string": b'"x"',
}


def _with_compared(text: bytes) -> Callable[[Scene], None]:
    """Return the step that gives the entry this text about itself, whole and with its digest."""

    def step(scene: Scene) -> None:
        _settled(scene)
        directory = PrivateDirectory(str(scene.cache))
        entry = cache.load(directory, scene.entry.name)
        assert entry is not None
        entry.fingerprint, entry.compared = "another", text
        cache.store(directory, scene.entry.name, entry)
        directory.close()

    return step


def _sts_says(expiration: Callable[[], str]) -> Callable[[Scene], None]:
    return lambda scene: scene.sts.once(with_text("Expiration", expiration()))


def _in(seconds: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return time.strftime(form, time.gmtime(time.time() + seconds))


def _not_kept_past(_: Scene, result: Result) -> None:
    """What is printed has an end that is not over, and is kept no longer than it lasts."""
    document = json.loads(result.stdout)
    assert document["Expiration"] > _in(0)


def _other_schema(scene: Scene) -> None:
    """Leave what a later version might: entries of another format beside ours, and in its place."""
    scene.warm()
    scene.home.settle()
    path = scene.entry
    newer = path.with_name(path.name.replace(".entry", ".entry2"))
    newer.write_bytes(b"credproc-3 of another version\n")
    newer.chmod(0o600)
    scene.strange = {newer.name}


def _newer_stands(scene: Scene, _: Result) -> None:
    (name,) = scene.strange
    assert (scene.cache / name).read_bytes() == b"credproc-3 of another version\n"


def _secret_with(text: str) -> Callable[[Scene], None]:
    """Return the step that puts this behind the secret in the entry's document, digest and all."""

    def step(scene: Scene) -> None:
        _settled(scene)
        before, behind = b'"SecretAccessKey":"', text.encode()
        whole = scene.entry.read_bytes()
        assert before in whole
        # The digest no longer holds: nobody but us can make one that does
        scene.entry.write_bytes(whole.replace(before, before + behind))

    return step


ROWS = (
    row(
        "F047",
        "an entry that is empty, of one byte, cut at every offset",
        Case("empty", before=_plant(b""), check=_healed, logs=_DAMAGED, calls=1),
        Case("one byte", before=_plant(b"0"), check=_healed, logs=_DAMAGED, calls=1),
        Case("every offset", before=_settled, run=_every_length, calls=100),
    ),
    row(
        "F048",
        "valid JSON of wrong types in an entry, and in the place of one",
        *(
            Case(f"about itself: {name}", before=_with_compared(text), check=_healed, calls=1)
            for name, text in _TYPES.items()
        ),
        *(
            Case(f"for an entry: {name}", before=_plant(text), check=_healed, calls=1)
            for name, text in list(_TYPES.items())[:4]
        ),
    ),
    row(
        "F049",
        "an entry of 100 MiB; one that grows while it is read",
        Case("100 MiB", before=_plant(b"x" * (100 << 20)), check=_healed, seconds=5, calls=1),
        Case("growing", before=_settled, run=_grow, excused={"I4": "it grows on"}),
    ),
    row("F050", "files of a newer version", Case("beside ours", before=_other_schema, calls=0, check=_newer_stands)),
    row(
        "F051",
        "an entry for another role or account",
        Case("another account in it", before=_edited(_other_account), check=_is_of_the_role, calls=1),
        Case("another profile's", before=_swap, check=_is_of_the_role, logs=_DAMAGED, calls=1),
    ),
    row(
        "F052",
        "the source's key is rotated, the session ended or revoked",
        Case("key rotated", before=_rotated, check=_is_of_the_role, calls=1),
        Case("key rotated, MFA", before=_rotated, mfa=True, check=_asked_once, calls=2),
        Case(
            "session ended",
            before=_session_ended(lambda s, key: s.sts.expire(key)),
            mfa=True,
            check=_asked_once,
            calls=3,
        ),
        Case(
            "session revoked",
            before=_session_ended(lambda s, key: s.sts.revoke(key)),
            mfa=True,
            check=_asked_once,
            calls=3,
        ),
    ),
    row(
        "F053",
        "an Expiration that is past, near, far, without zone, in another form, of another type, empty",
        Case("past", (Kind.NETWORK, Kind.DENIED), before=_sts_says(lambda: _in(-60)), says="expir"),
        Case("in 30 s", before=_sts_says(lambda: _in(30)), check=_not_kept_past),
        Case("in 10 years", before=_sts_says(lambda: _in(315_360_000)), check=_not_kept_past),
        Case("naive", before=_sts_says(lambda: _in(3600, "%Y-%m-%dT%H:%M:%S")), check=_not_kept_past),
        Case("+05:30", before=_sts_says(lambda: _in(3600 + 19800, "%Y-%m-%dT%H:%M:%S+05:30")), check=_not_kept_past),
        Case("Z", before=_sts_says(lambda: _in(3600)), check=_not_kept_past),
        Case("epoch", before=_sts_says(lambda: str(int(time.time()) + 3600)), check=_not_kept_past),
        Case("empty", (Kind.NETWORK, Kind.DENIED), before=_sts_says(lambda: ""), says="expir|Expir|answer"),
        *(
            Case(f"in an entry: {value!r}", before=_edited(_ending(value)), check=_healed, calls=1)
            for value in _NO_ENDS
        ),
    ),
    row(
        "F054",
        "a secret with a control character or a character outside of ASCII in an entry",
        *(
            Case(repr(text), before=_secret_with(text), check=_healed, logs=_DAMAGED, calls=1)
            for text in ("\n", "\x1b[2J", "\0", "é")
        ),
    ),
)
