"""Q. Another identity: what an entry depends on changes, and the entry does not answer for it any more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from credproc import cache
from credproc.aws.sts import LONGEST_ROLE
from credproc.files import PrivateDirectory
from credproc.refresh.entry import MAX_LIFETIME, entry_metadata
from tests.faults.l_time import _by_that_clock, _jump
from tests.faults.rows import Case, Kind, row
from tests.metadata import Container, Imds, Sso
from tests.program import ROLE
from tests.sts import Trust, fail, with_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.scene import Result, Scene
    from tests.sts import Credentials, Sts
    from tests.sts.wire import Answer, Request

_OF_POD = "arn:aws:iam::123456789012:role/{}"
_ISSUER = "https://oidc.example.com"
_SUBJECT = "system:serviceaccount:default:{}"
_SIGNED_OUT = "the sign-in to IAM Identity Center has expired"


class Pods(Container):
    """One container endpoint for all pods, as that of EKS Pod Identity is: the token tells them apart."""

    def __init__(self, sts: Sts) -> None:
        super().__init__(sts, _OF_POD.format("a"))
        self.pods: dict[str, str] = {}  # principals by token
        self.given: list[str] = []  # access key ids

    def answer(self, action: str, request: Request) -> Answer:
        """Answer as the agent does whose only pod is the one with this token."""
        self.principal = self.pods.get(request.header("Authorization") or "", "")
        self.authorization = request.header("Authorization") if self.principal else "none that is known"
        self._minted = None
        return super().answer(action, request)

    def credentials(self) -> Credentials:
        """Return new credentials of the pod that asks."""
        found = super().credentials()
        self.given.append(found.access_key_id)
        return found


def _role_from(scene: Scene, *lines: str, other: str = "") -> None:
    """Let profile admin be the role with another source, and the role trust pod a and pod b."""
    trusted = tuple(scene.sts.role(_OF_POD.format(pod), Trust(("*",))).arn for pod in "ab")
    scene.sts.role(_OF_POD.format("c"), Trust(("*",)))
    scene.sts.role(ROLE, Trust(trusted, federated=_ISSUER))
    scene.home.config("\n".join(["[profile admin]", "region = us-west-2", f"role_arn = {ROLE}", *lines, other]) + "\n")


def _warm(scene: Scene) -> None:
    """Leave an entry that is a hit."""
    scene.home.settle()
    scene.before = scene.warm().stdout
    assert scene.once().stdout == scene.before, "it was no hit"
    assert scene.sts.count() == 1


def _signed_by_another(scene: Scene, result: Result) -> None:
    """The document is a new one, made with other credentials than the first."""
    assert result.stdout != scene.before, "the document of another identity was served"
    first, second = scene.sts.calls[:2]
    assert first.access_key_id != second.access_key_id


def _same_document(scene: Scene, result: Result) -> None:
    assert result.stdout == scene.before, "what is equal was made anew"
    assert scene.sts.count() == 1


def _nothing_stored(scene: Scene, _: Result) -> None:
    assert not scene.home.entries, "what was passed through was stored"


# Containers


def _pod_token(pod: str) -> str:
    """Return a pod's token; it is in the environment, and so no canary."""
    return f"token-of-pod-{pod}"


def _pods(scene: Scene) -> Pods:
    agent = scene._stack.enter_context(Pods(scene.sts))
    agent.pods = {_pod_token(pod): _OF_POD.format(pod) for pod in "abc"}
    scene.home.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent.full_uri
    return agent


def _pod(token: Callable[[Scene], str | None], *, in_file: bool = False) -> Callable[[Scene], None]:
    """Return the step after which another pod asks where pod a has asked, with this token."""
    name = "AWS_CONTAINER_AUTHORIZATION_TOKEN"

    def step(scene: Scene) -> None:
        _role_from(scene, "credential_source = EcsContainer")
        _pods(scene)
        path = scene.path / "token"
        path.write_text(_pod_token("a"))
        scene.home.environ[f"{name}_FILE" if in_file else name] = str(path) if in_file else _pod_token("a")
        if in_file:
            _age(path)
        _warm(scene)
        other = token(scene)
        if in_file:
            path.write_text(other or "")
        elif other is None:
            del scene.home.environ[name]
        else:
            scene.home.environ[name] = other

    return step


def _token_of(pod: str) -> Callable[[Scene], str]:
    return lambda _: _pod_token(pod)


def _age(path: Path) -> None:
    """Wait until the file is old enough to be told from later edits."""
    time.sleep(max(0.0, path.stat().st_ctime + 2.1 - time.time()))


def _pod_a_again(scene: Scene) -> None:
    token = _pod_token("a")
    scene.home.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token
    (scene.path / "token").write_text(token)


def _pod_token_rotates(scene: Scene) -> None:
    """Give pod a's token file another token of the same service account, as the kubelet does each hour."""
    _role_from(scene, "credential_source = EcsContainer")
    agent = _pods(scene)
    tokens = [_token(scene, "a", seconds) for seconds in (3600, 7200)]
    agent.pods = dict.fromkeys(tokens, _OF_POD.format("a"))
    path = scene.path / "token"
    scene.home.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(path)
    path.write_text(tokens[0])
    _age(path)
    _warm(scene)
    path.write_text(tokens[1])


def _container_passed_through(scene: Scene) -> None:
    _pods(scene)
    scene.sts.role(_OF_POD.format("a"), Trust(("*",)))
    scene.home.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = _pod_token("a")


# Instances


def _imds(scene: Scene, pod: str = "a") -> Imds:
    return scene._stack.enter_context(Imds(scene.sts, _OF_POD.format(pod)))


def _on_instance(scene: Scene, *lines: str) -> Imds:
    _role_from(scene, "credential_source = Ec2InstanceMetadata", *lines)
    first = _imds(scene)
    if not lines:
        scene.home.environ.update(first.environment())
    return first


def _another_machine(scene: Scene) -> None:
    service = _on_instance(scene)
    _warm(scene)
    service.principal, service._minted = _OF_POD.format("b"), None
    (scene.work / "boot_id").write_text("00000000-0000-4000-8000-000000000000\n")


_BOOTED = 'mount --bind boot_id /proc/sys/kernel/random/boot_id && exec "$@"'


def _as_another_machine(scene: Scene) -> Result:
    return scene.process(scene.argv(wrapper=("unshare", "-m", "sh", "-c", _BOOTED, "sh")), scene.environ())


def _other_endpoint(scene: Scene) -> None:
    _on_instance(scene)
    _warm(scene)
    scene.home.environ.update(_imds(scene, "b").environment())


def _endpoint_in_config(scene: Scene) -> None:
    first = _on_instance(scene, "ec2_metadata_service_endpoint = FIRST")
    config = scene.home.path / ".aws" / "config"
    text = config.read_text()
    scene.home.config(text.replace("FIRST", first.url))
    _warm(scene)
    scene.home.config(text.replace("FIRST", _imds(scene, "b").url))


def _disabled(scene: Scene) -> None:
    _on_instance(scene)
    _warm(scene)
    scene.home.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def _enabled(scene: Scene) -> None:
    del scene.home.environ["AWS_EC2_METADATA_DISABLED"]


def _instance_passed_through(scene: Scene) -> None:
    scene.sts.role(_OF_POD.format("a"), Trust(("*",)))
    scene.home.environ.update(_imds(scene).environment())


# Web identity


def _token(scene: Scene, subject: str, seconds: float = 3600) -> str:
    token = scene.sts.web_identity_token(_ISSUER, subject=_SUBJECT.format(subject), seconds=seconds)
    scene.canaries[f"token of {subject} for {seconds}"] = token
    return token


def _web(change: Callable[[Scene, Path], object]) -> Callable[[Scene], None]:
    def step(scene: Scene) -> None:
        path = scene.path / "token"
        _role_from(scene, f"web_identity_token_file = {path}")
        path.write_text(_token(scene, "a"))
        _age(path)
        _warm(scene)
        change(scene, path)

    return step


def _subject_a_again(scene: Scene) -> None:
    (scene.path / "token").write_text(_token(scene, "a"))


def _another_subject(scene: Scene, result: Result) -> None:
    assert result.stdout != scene.before, "the document of another subject was served"
    assert scene.sts.calls[1].parameters["WebIdentityToken"] == (scene.path / "token").read_text()


# Identity Center

_portals: dict[str, Sso] = {}  # by the scene's mark

_CENTER = (
    "[profile sso]\nsso_account_id = 123456789012\nsso_role_name = a\nsso_session = corp\n"
    f"[sso-session corp]\nsso_start_url = {Sso.START_URL}\nsso_region = us-east-1\n"
)


def _center(change: Callable[[Scene, Sso], object], *, straight: bool = False) -> Callable[[Scene], None]:
    """Return the step that changes the sign-in after a call; ``straight``: there is no role on top of it."""

    def step(scene: Scene) -> None:
        _role_from(scene, "source_profile = sso", other=_CENTER)
        if straight:
            scene.home.config(_CENTER.replace("[profile sso]", "[profile admin]"))
        portal = scene._stack.enter_context(Sso(scene.sts, _OF_POD.format("a")))
        _portals[scene.mark] = portal
        scene.home.environ.update(portal.environment())
        _age(portal.sign_in(scene.home.path, sso_session="corp"))
        scene.home.settle()
        scene.before = scene.warm().stdout
        assert scene.once().stdout == scene.before, "it was no hit"
        assert portal.requests == ["GetRoleCredentials"]
        portal._minted = None
        change(scene, portal)

    return step


def _logged_out(scene: Scene, portal: Sso) -> None:
    (path,) = (scene.home.path / ".aws" / "sso" / "cache").iterdir()
    path.unlink()
    portal.sign_out()


def _another_signs_in(scene: Scene, portal: Sso) -> None:
    portal.sign_in(scene.home.path, sso_session="corp")


def _in_again(scene: Scene) -> None:
    _portals[scene.mark].sign_in(scene.home.path, sso_session="corp")


def _other_document(scene: Scene, result: Result) -> None:
    assert result.stdout != scene.before, "the document of another person was served"


# Programs

_PRINTS = """#!{python}
import json, os, sys
print(open(os.path.join({place}, os.environ.get("TEAM", "a") + ".json")).read())
"""


def _source_program(scene: Scene, command: str, place: str) -> None:
    """Let profile admin's source be a program that prints credentials out of a file, and prepare three such files."""
    for directory, pods in ((scene.path / "here", "ab"), (scene.path / "elsewhere", "ba")):
        directory.mkdir(exist_ok=True)
        program = directory / "program"
        program.write_text(_PRINTS.format(python=sys.executable, place=place))
        program.chmod(0o755)
        for name, pod in zip("ab", pods, strict=True):
            given = scene.sts.temporary(_OF_POD.format(pod), 7200)
            (directory / f"{name}.json").write_text(json.dumps(given.document()))
    _role_from(scene, "source_profile = other", other=f"[profile other]\ncredential_process = {command}")


def _by_variable(scene: Scene) -> None:
    for pod in "ab":
        scene.sts.role(_OF_POD.format(pod), Trust(("*",)))
    _source_program(scene, f"{scene.path}/here/program", repr(str(scene.path / "here")))
    _warm(scene)
    scene.home.environ["TEAM"] = "b"


def _by_directory(scene: Scene) -> None:
    for pod in "ab":
        scene.sts.role(_OF_POD.format(pod), Trust(("*",)))
    _source_program(scene, "./program", "'.'")
    scene.home.settle()
    scene.before = scene.process(scene.argv(), scene.environ(), cwd=scene.path / "here").stdout


def _elsewhere(scene: Scene) -> Result:
    return scene.process(scene.argv(), scene.environ(), cwd=scene.path / "elsewhere")


def _program_passed_through(scene: Scene) -> None:
    scene.sts.role(_OF_POD.format("a"), Trust(("*",)))
    scene.sts.role(_OF_POD.format("b"), Trust(("*",)))
    _source_program(scene, f"{scene.path}/here/program", repr(str(scene.path / "here")))
    scene.home.config(f"[profile admin]\ncredential_process = {scene.path}/here/program\n")


def _program_runs_anew(scene: Scene) -> list[Result]:
    results = [scene.run()]
    scene.home.environ["TEAM"] = "b"
    results.append(scene.run())
    assert results[0].stdout != results[1].stdout, "the document of another variable was served"
    del scene.home.environ["TEAM"]
    return results


# Keys


def _environment(variable: str) -> Callable[[Scene], None]:
    def step(scene: Scene) -> None:
        _role_from(scene, "credential_source = Environment")
        scene.home.environ.update(scene.sts.temporary(_OF_POD.format("a")).environment())
        _warm(scene)
        scene.before = scene.home.environ[variable].encode()
        scene.home.environ[variable] = "another"

    return step


def _right_again(variable: str) -> Callable[[Scene], None]:
    return lambda scene: scene.home.environ.update({variable: scene.before.decode()})


def _in_the_file(scene: Scene) -> None:
    scene.home.settle()
    scene.warm()
    path = scene.home.path / ".aws" / "credentials"
    scene.before = path.read_bytes()
    path.write_text(path.read_text().replace(scene.user.secret_access_key, scene.canary("wrong")))


def _file_as_before(scene: Scene) -> None:
    (scene.home.path / ".aws" / "credentials").write_bytes(scene.before)


# The files


def _two_disks(scene: Scene) -> None:
    """Let the AWS files be on a disk of which there is a copy, the same in all but another role."""
    aws = scene.home.path / ".aws"
    other = ROLE.replace("marketingadmin", "marketingother")
    scene.sts.role(other, scene.role.trust)
    images = [scene.path / "first", scene.path / "second"]
    images[0].write_bytes(bytes(4 << 20))
    subprocess.run(["mke2fs", "-q", "-d", aws, images[0]], check=True)
    content = images[0].read_bytes()
    assert ROLE.encode() in content
    images[1].write_bytes(content.replace(ROLE.encode(), other.encode()))
    for image in reversed(images):
        mount = scene.path / f"disk-{image.name}"
        mount.mkdir()
        subprocess.run(["mount", "-o", "loop,ro", image, mount], check=True)
        scene._stack.callback(_unmount, mount)
    for name, variable in (("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")):
        scene.home.environ[variable] = str(scene.path / "aws" / name)
    (scene.path / "aws").symlink_to("disk-first")
    _warm(scene)
    (scene.path / "aws").unlink()
    (scene.path / "aws").symlink_to("disk-second")
    first, second = (os.stat(scene.path / f"disk-{image.name}" / "config") for image in images)
    assert (first.st_ino, first.st_ctime_ns, first.st_size) == (second.st_ino, second.st_ctime_ns, second.st_size)


def _unmount(path: Path) -> None:
    subprocess.run(["umount", path], check=True)


def _first_disk(scene: Scene) -> None:
    (scene.path / "aws").unlink()
    (scene.path / "aws").symlink_to("disk-first")


def _of_the_other_role(scene: Scene, result: Result) -> None:
    assert result.stdout != scene.before, "the document of another role was served"
    assert scene.sts.calls[1].parameters["RoleArn"].endswith("marketingother")


# STS


def _answers_for(arn: str) -> Callable[[Scene], None]:
    return lambda scene: scene.sts.once(with_text("Arn", arn))


def _ends_in_9999(scene: Scene) -> None:
    scene.sts.once(with_text("Expiration", "9999-12-31T23:59:59Z"))


def _is_bounded(scene: Scene, result: Result) -> None:
    end = json.loads(result.stdout)["Expiration"]
    assert end <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 43200 + 60))
    directory = PrivateDirectory(str(scene.cache))
    entry = cache.load(directory, scene.entry.name)
    directory.close()
    assert entry is not None
    assert entry_metadata(entry)["expiration"] <= time.time() + MAX_LIFETIME


def _half_a_day_later(scene: Scene) -> Result:
    """Run credproc once the role's longest session is over, while STS refuses."""
    scene.sts.always(fail(403, "AccessDenied", "no"))
    _jump(scene, LONGEST_ROLE + 1)
    return _by_that_clock(scene)


def _ended_in_9999(scene: Scene) -> None:
    _ends_in_9999(scene)
    scene.warm()


_SESSION = "arn:aws:sts::{}:assumed-role/{}/credproc-root"
_REFUSED = r"is not the role that was asked for"

_REFUSES = "EcsContainer: the endpoint cannot be reached, or refuses"

ROWS = (
    row(
        "F165",
        "another pod asks where a container's credentials were asked for, with its own token, or with none",
        Case("another", before=_pod(_token_of("b")), undo=_pod_a_again, check=_signed_by_another, calls=3),
        Case(
            "in a file", before=_pod(_token_of("b"), in_file=True), undo=_pod_a_again, check=_signed_by_another, calls=3
        ),
        Case("refused by the role", Kind.DENIED, before=_pod(_token_of("c")), undo=_pod_a_again, says="AccessDenied"),
        Case("unknown", Kind.SOURCE, before=_pod(lambda _: "unknown"), undo=_pod_a_again, says=_REFUSES),
        Case("without a token", Kind.SOURCE, before=_pod(lambda _: None), undo=_pod_a_again, says=_REFUSES),
        Case("the same, with a token that was rotated", before=_pod_token_rotates, check=_same_document, calls=1),
        Case(
            "passed through",
            arguments=(),
            before=_container_passed_through,
            check=_nothing_stored,
            calls=0,
            again=False,
        ),
    ),
    row(
        "F166",
        "another machine or another endpoint for the metadata of an instance, or none",
        Case("another machine", before=_another_machine, run=_as_another_machine, check=_signed_by_another),
        Case("another endpoint", before=_other_endpoint, check=_signed_by_another),
        Case("another in the config", before=_endpoint_in_config, check=_signed_by_another),
        Case(
            "disabled",
            Kind.SOURCE,
            before=_disabled,
            undo=_enabled,
            says="the instance metadata service does not answer",
        ),
        Case(
            "passed through", arguments=(), before=_instance_passed_through, check=_nothing_stored, calls=0, again=False
        ),
    ),
    row(
        "F167",
        "the token of a web identity is another subject's, or gone, or rotated",
        Case(
            "another",
            before=_web(lambda s, path: path.write_text(_token(s, "b"))),
            undo=_subject_a_again,
            check=_another_subject,
            calls=3,
        ),
        Case(
            "gone",
            Kind.SOURCE,
            before=_web(lambda _, path: path.unlink()),
            undo=_subject_a_again,
            says="no such file",
            calls=1,
        ),
        Case(
            "empty",
            Kind.SOURCE,
            before=_web(lambda _, path: path.write_text("")),
            undo=_subject_a_again,
            says="web identity token",
            calls=1,
        ),
        Case(
            "rotated", before=_web(lambda s, path: path.write_text(_token(s, "a", 7200))), check=_same_document, calls=1
        ),
    ),
    row(
        "F168",
        "another person signs in to IAM Identity Center, or aws sso logout",
        Case("another, and a role", before=_center(_another_signs_in), check=_other_document),
        Case("another", before=_center(_another_signs_in, straight=True), check=_other_document, calls=0),
        Case("out, and a role", Kind.SOURCE, before=_center(_logged_out), undo=_in_again, says=_SIGNED_OUT),
        Case("out", Kind.SOURCE, before=_center(_logged_out, straight=True), undo=_in_again, says=_SIGNED_OUT, calls=0),
    ),
    row(
        "F169",
        "a source program that answers by a variable or by the working directory",
        Case("by a variable", before=_by_variable, check=_signed_by_another),
        Case("by the directory", before=_by_directory, run=_elsewhere, check=_signed_by_another, again=False),
        Case("passed through", before=_program_passed_through, run=_program_runs_anew, check=_nothing_stored, calls=0),
    ),
    row(
        "F170",
        "another secret or another session token with the same access key id",
        *(
            Case(name, Kind.DENIED, before=_environment(name), undo=_right_again(name), says="AssumeRole: ")
            for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        ),
        Case("in a file", Kind.DENIED, before=_in_the_file, undo=_file_as_before, says="AssumeRole: "),
    ),
    row(
        "F171",
        "the AWS files on another disk, with the same inodes, times and sizes",
        Case(before=_two_disks, undo=_first_disk, check=_of_the_other_role, calls=3),
    ),
    row(
        "F172",
        "STS answers for another role or another account than was asked for",
        Case(
            "role",
            Kind.DENIED,
            before=_answers_for(_SESSION.format("123456789012", "x")),
            says=_REFUSED,
        ),
        Case(
            "account",
            Kind.DENIED,
            before=_answers_for(_SESSION.format("9" * 12, "marketingadmin")),
            says=_REFUSED,
        ),
    ),
    row(
        "F173",
        "an Expiration in the year 9999, and refreshes that fail",
        Case("the end", before=_ends_in_9999, check=_is_bounded, calls=1),
        Case(
            "half a day later",
            Kind.DENIED,
            before=_ended_in_9999,
            run=_half_a_day_later,
            undo=lambda scene: scene.sts.heal(),
            says="AccessDenied",
            calls=3,
        ),
    ),
)
