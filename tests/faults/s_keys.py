"""S. Long-term keys: whose key is deleted, whose lines are taken out, and what IAM says a key is."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tests.faults.k_keyring import desktop
from tests.faults.rows import Case, Kind, row
from tests.faults.scene import Result
from tests.sts import fail, hang_up, hold, with_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.rows import Check, Run, Step
    from tests.faults.scene import Scene
    from tests.keyrings import SecretService
    from tests.sts import Fault

_keyrings: dict[str, SecretService] = {}  # by the scene's mark
_ROTATE = ("keys", "rotate", "user1", "--yes")
_IMPORT = ("keys", "import", "user1", "--yes")
_WRITES = {"I5": "the command is there to write the two AWS files"}
_CALLS = 20
_OTHER_TURN = 2.0  # seconds in which another run would have its turn, if it could


def _credentials(scene: Scene) -> Path:
    return scene.home.path / ".aws" / "credentials"


def _with_keyring(scene: Scene) -> None:
    scene.home.environ["AWS_ENDPOINT_URL_IAM"] = scene.sts.url
    _keyrings[scene.mark] = desktop(scene)


def _imported(scene: Scene) -> None:
    """Let the user's key be in the keyring."""
    _with_keyring(scene)
    ran = scene.process(scene.argv(_IMPORT), scene.environ())
    assert ran.status == 0, ran


def _kept(scene: Scene) -> set[str]:
    """Return the names of the access keys in the keyring."""
    found = (item.attributes for item in _keyrings[scene.mark].items())
    return {one["username"] for one in found if one["service"] == "credproc access key"}


def _in_iam(scene: Scene) -> set[str]:
    return {key.access_key_id for key in scene.sts.iam.keys_of(scene.user.arn)}


def _answering(question: str, answer: str, meanwhile: Step = lambda _: None) -> Run:
    """Return a run on the terminal: at the question something happens, and then a person answers."""

    def run(scene: Scene) -> Result:
        began = time.monotonic()
        job = scene.job()
        scene.terminal.expect(question)
        scene.terminal.expect("[y/N] ")
        meanwhile(scene)
        scene.terminal.send(f"{answer}\n")
        return scene.result(job, began)

    return run


# Rotation


def _failed_and_made_by_hand(fault: Fault) -> Step:
    """Let CreateAccessKey fail once, and then an administrator make a key for the user."""

    def before(scene: Scene) -> None:
        _imported(scene)
        scene.sts.once(fault, action="CreateAccessKey")
        ran = scene.process(scene.argv(_ROTATE), scene.environ())
        assert ran.status == 1, ran
        scene.sts.iam.add_key(scene.user.arn)

    return before


def _none_is_deleted(scene: Scene, _: Result) -> None:
    assert len(_in_iam(scene)) == 2, "a key was deleted"
    assert scene.sts.count("DeleteAccessKey") == 0
    assert scene.user.access_key_id in _kept(scene)


def _created_and_lost(scene: Scene) -> None:
    """Let IAM create the key, and its answer be lost."""
    _imported(scene)
    scene.sts.once(hang_up(decided=True), action="CreateAccessKey")
    ran = scene.process(scene.argv(_ROTATE), scene.environ())
    assert ran.status == 1, ran
    assert len(_in_iam(scene)) == 2, "IAM has created none"


def _one_is_left(scene: Scene, _: Result) -> None:
    (left,) = _in_iam(scene)
    assert left != scene.user.access_key_id
    assert _kept(scene) == {left}
    named = (scene.home.path / ".aws" / "config").read_text().count(f"credproc_access_key_id = {left}\n")
    assert named == (2 if "twin" in scene.case.name else 1)


def _twin(scene: Scene) -> None:
    """Let another profile name the same key, and the first CreateAccessKey take its time."""
    _imported(scene)
    config = scene.home.path / ".aws" / "config"
    text = config.read_text()
    config.write_text(f"{text}\n[profile twin]\ncredproc_access_key_id = {scene.user.access_key_id}\n")
    last: list[float] = []

    def is_time() -> bool:
        last.append(time.monotonic() + _OTHER_TURN)
        return scene.sts.count("ListAccessKeys") == 2 or time.monotonic() >= last[0]

    scene.sts.once(hold(is_time), action="CreateAccessKey")


def _both_rotate(scene: Scene) -> list[Result]:
    found = []
    argvs = [scene.argv(("keys", "rotate", profile, "--yes")) for profile in ("user1", "twin")]
    began = time.monotonic()
    for child in [scene.start(argv, scene.environ()) for argv in argvs]:
        stdout, stderr = child.communicate(timeout=scene.case.limit)
        found.append(Result(child.returncode, stdout, stderr, time.monotonic() - began))
    return found


def _renamed_meanwhile(scene: Scene) -> None:
    """Let a person name another key in the profile while the new one is created."""
    _imported(scene)
    config = scene.home.path / ".aws" / "config"

    def is_done() -> bool:
        config.write_text(config.read_text().replace(scene.user.access_key_id, "AKIAOTHEROTHEROTHER1"))
        return True

    scene.sts.once(hold(is_done), action="CreateAccessKey")


def _named_key_stays(scene: Scene, _: Result) -> None:
    assert "credproc_access_key_id = AKIAOTHEROTHEROTHER1\n" in (scene.home.path / ".aws" / "config").read_text()
    assert scene.sts.count("DeleteAccessKey") == 0
    assert _kept(scene) >= _in_iam(scene)


def _as_before(scene: Scene) -> None:
    config = scene.home.path / ".aws" / "config"
    config.write_text(config.read_text().replace("AKIAOTHEROTHEROTHER1", scene.user.access_key_id))


# Import


def _write_pair(text: str) -> Step:
    """Return what writes this into the credentials file; ID and SECRET are those of a key that was just made."""

    def write(scene: Scene) -> None:
        path = _credentials(scene)
        key = scene.sts.iam.add_key(scene.user.arn)
        names = {"OLD": path.read_text(), "ID": key.access_key_id, "SECRET": key.secret_access_key}
        names["FORMER"] = scene.user.access_key_id
        scene.before = text.format(**names).encode()
        path.write_bytes(scene.before)

    return write


def _file_is_theirs(scene: Scene, _: Result) -> None:
    assert _credentials(scene).read_bytes() == scene.before, "what another program has written was changed"
    assert not _kept(scene), "another key than that of the file is in the keyring"
    assert "credproc_access_key_id" not in (scene.home.path / ".aws" / "config").read_text()


def _one_pair(scene: Scene) -> None:
    scene.home.keys("user1", scene.user)


def _copied(name: str, text: str) -> Step:
    """Return what puts the secret (SECRET), or the file as it is (OLD), into a file of this name."""

    def before(scene: Scene) -> None:
        _with_keyring(scene)
        old = _credentials(scene).read_text()
        path = scene.home.path / ".aws" / name
        path.write_text(text.format(OLD=old, SECRET=scene.user.secret_access_key))

    return before


def _tells_of(place: str) -> Check:
    def check(scene: Scene, result: Result) -> None:
        said = result.stdout.decode()
        assert f"warning: ~/.aws/{place} still contains the secret\n" in said, said
        assert "no file" not in said, said
        assert scene.user.secret_access_key not in said

    return check


def _moved_and_tells_of_none(scene: Scene, result: Result) -> None:
    assert b"no file beside it contains it" in result.stdout
    assert scene.user.secret_access_key not in "".join(
        path.read_text() for path in (scene.home.path / ".aws").iterdir()
    )
    assert _kept(scene) == {scene.user.access_key_id}


def _asked(name: str, text: str) -> Case:
    """Return the case in which another program writes this while the question stands."""
    return Case(
        name,
        Kind.CONFIG,
        arguments=_IMPORT[:3],
        before=_with_keyring,
        run=_answering("Move ", "y", _write_pair(text)),
        check=_file_is_theirs,
        undo=_one_pair,
        says=r"~/\.aws/credentials(:\d)?: (belongs to another access key|was changed)",
        excused={"I5": "another program writes the file"},
        calls=0,
    )


def _found(name: str, file: str, text: str, line: int) -> Case:
    """Return the case in which the secret is in that line of the file too."""
    return Case(
        name,
        Kind.TEXT,
        arguments=_IMPORT,
        before=_copied(file, text),
        check=_tells_of(f"{file}:{line}"),
        excused=_WRITES,
        calls=0,
    )


# What IAM says

_NO_IDS = {
    "a line end": "AKIAIOSFODNN7EXAMPLE\n[profile evil]\ncredential_process = touch planted",
    "a carriage return": "AKIAIOSFODNN7&#13;EXAMPLE",
    "a space": "AKIAIOSFODNN7 EXAMPLE",
    "a direction": "AKIAIOSFODNN7&#x202e;EXAMPLE",
    "too short": "AKIA",
    "too long": "A" * 129,
}


def _answers(action: str, element: str, text: str) -> Step:
    def before(scene: Scene) -> None:
        _imported(scene)
        scene.before = (scene.home.path / ".aws" / "config").read_bytes()
        scene.sts.always(with_text(element, text), action=action)

    return before


def _nothing_taken(scene: Scene, _: Result) -> None:
    assert (scene.home.path / ".aws" / "config").read_bytes() == scene.before
    old = scene.user.access_key_id
    assert _kept(scene) <= {old, f"{old} pending"}
    for item in _keyrings[scene.mark].items():
        if item.attributes["username"] == f"{old} pending":
            assert "access_key_id" not in json.loads(item.secret), "it is in the keyring"


def _malformed(name: str, action: str, element: str, text: str) -> Case:
    return Case(
        f"{action}, {name}",
        Kind.NETWORK,
        arguments=_ROTATE,
        before=_answers(action, element, text),
        check=_nothing_taken,
        says=f"{action}: the answer (holds no complete key|cannot be understood)",
        calls=_CALLS,
    )


_REFUSED: dict[str, Callable[[], Fault]] = {
    "refused": lambda: fail(403, "AccessDenied", "no"),
    "throttled": lambda: fail(400, "Throttling", "Rate exceeded"),
}

ROWS = (
    row(
        "F174",
        "CreateAccessKey is refused, or not answered; then somebody makes a key by hand; or two rotate one key",
        *(
            Case(
                name,
                Kind.CONFIG,
                arguments=_ROTATE,
                before=_failed_and_made_by_hand(fault()),
                check=_none_is_deleted,
                says="the user already has two access keys",
                calls=_CALLS,
            )
            for name, fault in _REFUSED.items()
        ),
        *(
            Case(
                f"{name}, and nobody to ask",
                Kind.NO_TERMINAL,
                arguments=_ROTATE,
                before=_failed_and_made_by_hand(fault),
                check=_none_is_deleted,
                says=r"there is no terminal(.|\n)*delete-access-key --access-key-id AKIA",
                calls=_CALLS,
            )
            for name, fault in (("no answer", hang_up()), ("a fault of IAM", fail(500, "ServiceFailure", "oh")))
        ),
        Case(
            "no answer, and a no",
            Kind.CANCELLED,
            arguments=_ROTATE,
            before=_failed_and_made_by_hand(hang_up()),
            run=_answering("Delete AKIA", "n"),
            check=_none_is_deleted,
            says="declined",
            calls=_CALLS,
        ),
        Case(
            "created, no answer, and a yes",
            Kind.TEXT,
            arguments=_ROTATE,
            before=_created_and_lost,
            run=_answering("Delete AKIA", "y"),
            check=_one_is_left,
            excused=_WRITES,
            calls=_CALLS,
        ),
        Case(
            "a twin",
            Kind.TEXT,
            before=_twin,
            run=_both_rotate,
            check=_one_is_left,
            excused=_WRITES,
            seconds=30,
            calls=_CALLS,
        ),
        Case(
            "the profile names another key meanwhile",
            Kind.CONFIG,
            arguments=_ROTATE,
            before=_renamed_meanwhile,
            check=_named_key_stays,
            undo=_as_before,
            says="does not name AKIA",
            excused={"I5": "a person edits the file"},
            calls=_CALLS,
        ),
    ),
    row(
        "F175",
        "another program writes another pair while keys import asks; or the secret is in another place too",
        _asked("another pair", "[user1]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"),
        _asked("another secret", "[user1]\naws_access_key_id = {FORMER}\naws_secret_access_key = {SECRET}\n"),
        _asked("another beside it", "{OLD}aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"),
        _asked("none", "[other]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"),
        _found("another profile", "credentials", "{OLD}[default]\naws_secret_access_key = {SECRET}\n", 3),
        _found("a comment", "credentials", "# {SECRET}\n{OLD}", 1),
        _found("an editor's copy", "credentials~", "{OLD}", 3),
        _found("setup's copy", "config.credproc-backup", "\n\n{SECRET}\n", 3),
        _found("a temporary file of ours", "credentials.123-0123abcd.tmp", "{OLD}", 3),
        Case(
            "nowhere",
            Kind.TEXT,
            arguments=_IMPORT,
            before=_with_keyring,
            check=_moved_and_tells_of_none,
            excused=_WRITES,
            calls=0,
        ),
    ),
    row(
        "F176",
        "IAM answers with an access key id that is none",
        *(
            _malformed(name, action, "AccessKeyId", _NO_IDS[name])
            for action, names in (("CreateAccessKey", tuple(_NO_IDS)), ("ListAccessKeys", ("a line end", "too long")))
            for name in names
        ),
        _malformed("no secret", "CreateAccessKey", "SecretAccessKey", "a secret\nof two lines, 16 long"),
    ),
)
