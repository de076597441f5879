"""V. Words and what is handed on: what others say, what children get, what people read."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.faults.j_mfa_process import no_program, printing, unanswered
from tests.faults.rows import Case, Kind, each, nothing, row
from tests.program import ROLE
from tests.sts import Answer, Trust
from tests.sts.answers import error_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.rows import Check, Step
    from tests.faults.scene import Result, Scene
    from tests.sts import Exchange

# --- F161: quotes of the request ------------------------------------------------------------------------------------

_PART = 16  # characters in a row of a secret that nobody may see
_ISSUER = "https://oidc.example.com"


def _quoted(scene: Scene) -> str:
    """Return the request that came last as a service quotes it: its secrets first, as long messages are cut."""
    call = scene.sts.calls[-1]
    assert call.request is not None
    token = call.parameters.get("WebIdentityToken") or call.request.header("X-Amz-Security-Token")
    headers = "\n".join(f"{name.lower()}:{value}" for name, value in call.request.headers.items())
    return "\n".join((f"{token}", headers, call.request.body.decode(), *call.parameters.values()))


_FORMS: dict[str, Callable[[str], str]] = {
    "as it is": html.escape,
    "escaped for a URL": lambda text: quote(text, safe="\n"),
    "escaped for JSON": lambda text: html.escape(json.dumps(text)),
    "escaped for HTML in XML": lambda text: html.escape(html.escape(text)),
    "numbers for what is no letter": lambda text: re.sub(r"[^0-9A-Za-z\n]", lambda found: f"&#{ord(found[0])};", text),
    "the end cut off": lambda text: html.escape(text[:-30]),
}


def _refusing(form: Callable[[str], str]) -> Callable[[Scene], Answer]:
    """Return what refuses the signature, and says of what."""

    def answer(scene: Scene) -> Answer:
        message = f"The Canonical String for this request should have been '{form(_quoted(scene))}'"
        return _unescaped(error_answer(403, "SignatureDoesNotMatch", "MESSAGE"), message)

    return answer


def _in_the_code(scene: Scene) -> Answer:
    return _unescaped(error_answer(400, "CODE", "no"), html.escape(_quoted(scene)), "CODE")


def _unescaped(answer: Answer, text: str, place: str = "MESSAGE") -> Answer:
    return Answer(answer.status, answer.body.replace(place.encode(), text.encode()), headers=answer.headers)


def _redirecting(scene: Scene) -> Answer:
    call = scene.sts.calls[-1]
    assert call.request is not None
    token = call.request.header("X-Amz-Security-Token") or call.parameters.get("WebIdentityToken") or "x"
    return Answer(302, b"", headers=(("Location", f"http://portal.example.com/{quote(token, safe='')}"),))


def _answering(answer: Callable[[Scene], Answer], action: str) -> Step:
    def before(scene: Scene) -> None:
        def fault(exchange: Exchange) -> None:
            exchange.send(answer(scene))

        scene.sts.always(fault, action)

    return before


def _in_the_reason(action: str) -> Step:
    """Have a proxy quote the request in the reason of its status."""

    def before(scene: Scene) -> None:
        def fault(exchange: Exchange) -> None:
            said = _quoted(scene).replace("\n", " ")
            exchange.write(f"HTTP/1.1 502 no luck with {said}\r\nContent-Length: 0\r\n\r\n".encode())

        scene.sts.always(fault, action)

    return before


def _temporary(scene: Scene) -> None:
    """Let the caller have a session token in its environment."""
    scene.sts.role(ROLE, Trust(("*",), external_id=scene.external_id))
    source = scene.sts.role("arn:aws:iam::123456789012:role/machine", Trust(("*",)))
    scene.home.environ.update(scene.sts.temporary(source, 7200).environment())
    lines = f"role_arn = {ROLE}\ncredential_source = Environment\nexternal_id = {scene.external_id}\n"
    scene.home.config(f"[profile admin]\nregion = us-west-2\n{lines}")


def _web_identity(scene: Scene) -> None:
    scene.sts.role(ROLE, Trust(("*",), federated=_ISSUER))
    token = scene.canaries["web identity token"] = scene.sts.web_identity_token(_ISSUER)
    path = scene.path / "token"
    path.write_text(token)
    scene.home.config(f"[profile admin]\nregion = us-west-2\nrole_arn = {ROLE}\nweb_identity_token_file = {path}\n")


def _no_part_of_a_secret(scene: Scene, result: Result) -> None:
    """Not even a part of one is seen, however it is escaped; that something stood there is."""
    assert "***" in result.said, result.said
    call = scene.sts.calls[-1]
    assert call.request is not None
    signature = (call.request.header("Authorization") or "").rpartition("Signature=")[2]
    for seen in (result.said, scene.home.log):
        for what, secret in {**scene.secrets(), "signature": signature}.items():
            parts = {secret[start : start + _PART] for start in range(len(secret) - _PART + 1)}
            assert not [part for part in parts if part in seen], f"a part of {what}"


def _quoting(name: str, source: Step, answer: Callable[[str], Step], action: str) -> Case:
    return Case(
        name,
        Kind.DENIED,
        before=each(source, answer(action)),
        undo=lambda s: s.sts.heal(),
        check=_no_part_of_a_secret,
        says=action,
        seconds=20,
        calls=10,
    )


def _by(answer: Callable[[Scene], Answer]) -> Callable[[str], Step]:
    return lambda action: _answering(answer, action)


def _quotes() -> tuple[Case, ...]:
    answers = {
        **{name: _by(_refusing(form)) for name, form in _FORMS.items()},
        "in the code": _by(_in_the_code),
        "in a redirect": _by(_redirecting),
        "in the reason": _in_the_reason,
    }
    sources = (("session", _temporary, "AssumeRole"), ("web identity", _web_identity, "AssumeRoleWithWebIdentity"))
    return tuple(
        _quoting(f"{source}, {name}", before, answer, action)
        for source, before, action in sources
        for name, answer in answers.items()
    )


# --- F162: environments ---------------------------------------------------------------------------------------------

_IDENTITIES = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_SECRET_KEY AWS_ACCESS_KEY"
    " EC2_ACCESS_KEY EC2_SECRET_KEY AMAZON_SECRET_ACCESS_KEY AWS_BEARER_TOKEN_BEDROCK AWS_ROLE_SESSION_NAME"
    " AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_WEB_IDENTITY_TOKEN_FILE"
    " AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CREDENTIAL_FILE"
).split()
_GIVEN = dict.fromkeys(_IDENTITIES, "of-another-identity")
_SEE = 'env >"$SEEN"'


def _seeing(scene: Scene) -> None:
    scene.home.environ["SEEN"] = str(scene.path / "seen")


def _without_identity(scene: Scene, _: Result) -> None:
    seen = (scene.path / "seen").read_text()
    assert "PATH=" in seen
    assert "of-another-identity" not in seen, seen


def _only_the_profiles(scene: Scene, result: Result) -> None:
    _without_identity(scene, result)
    seen = (scene.path / "seen").read_text()
    assert re.search(r"^AWS_SESSION_TOKEN=.{24}", seen, re.MULTILINE)
    (scene.path / "seen").unlink()  # it was given to that program


# --- F181: what people read -----------------------------------------------------------------------------------------

_HOSTILE = "x\x1b[2J\x07\x7f\x9b2J\x85\x0b\u202e\u2066\u200b\ufeff\u2028x"


def _only_glyphs(_: Scene, result: Result) -> None:
    for text in (result.said, result.stdout.decode()):
        strange = [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
        assert not strange, text
        assert not text or "\\x1b[2J" in text, text


def _hostile_paths(scene: Scene) -> None:
    """Let the AWS files, and credproc's own directory, be at paths that write on the screen."""
    place = scene.path / f"home{_HOSTILE}"
    place.mkdir(mode=0o700)
    broken = f"\n[profile broken]\nrole_arn = {ROLE}\n"  # of which list says where
    (place / "config").write_text((scene.home.path / ".aws" / "config").read_text() + broken)
    scene.home.environ.update(AWS_CONFIG_FILE=str(place / "config"), CREDPROC_CACHE_DIR=str(place / "cache"))


def _ordinary_paths(scene: Scene) -> None:
    del scene.home.environ["AWS_CONFIG_FILE"], scene.home.environ["CREDPROC_CACHE_DIR"]


def _hostile_answer(scene: Scene) -> None:
    def fault(exchange: Exchange) -> None:
        said = _HOSTILE.translate(dict.fromkeys(range(0x20), None))  # which XML does not know
        answer = error_answer(403, "AccessDenied", f"\\x1b[2J{said}\nerror: forged")
        exchange.send(answer)

    scene.sts.always(fault, "AssumeRole")


def _reading(name: str, kind: Kind, *arguments: str, before: Step = _hostile_paths) -> Case:
    return Case(
        name,
        kind,
        before=before,
        undo=_ordinary_paths if before is _hostile_paths else lambda s: s.sts.heal(),
        check=_only_glyphs,
        arguments=arguments,
        says="" if kind is Kind.TEXT else "credproc: error: ",
    )


# --- F182: source programs ------------------------------------------------------------------------------------------


def _source(script: str) -> Step:
    return lambda scene: scene.source_program(script.replace("CANARY", scene.canary("of the program")))


_TOKEN = base64.b64encode(secrets.token_bytes(90)).decode()  # is no canary: the program may have it


def _in_no_log(scene: Scene, result: Result) -> None:
    assert "no luck with ***" in result.said, result.said
    assert "luck" not in scene.home.log
    assert "exited with status 3" in scene.home.log


def _source_case(name: str, script: str, says: str, check: Check = nothing, **environ: str) -> Case:
    return Case(
        name,
        Kind.SOURCE,
        before=_source(script),
        undo=lambda s: s.config(),
        says=says,
        logs="credential_process of 'admin'",
        environ=environ,
        check=check,
        calls=0,
    )


ROWS = (
    row("F161", "a refusal quotes the request", *_quotes()),
    row(
        "F162",
        "the caller's environment holds other identities, by names of today and of before",
        Case(
            "mfa_process",
            before=each(printing(f"{_SEE}\necho $code"), _seeing),
            run=unanswered,
            undo=no_program,
            check=_without_identity,
            environ=_GIVEN,
            mfa=True,
        ),
        Case(
            "exec",
            Kind.TEXT,
            before=_seeing,
            check=_only_the_profiles,
            arguments=("exec", "admin", "--", "sh", "-c", f"{_SEE}; echo done"),
            environ=_GIVEN,
            excused={"I3": "the command is given the credentials"},
        ),
    ),
    row(
        "F181",
        "paths, names and answers that write on the screen",
        _reading("list", Kind.TEXT, "list"),
        _reading("explain", Kind.TEXT, "explain", "admin"),
        _reading("clear", Kind.TEXT, "clear", "--all"),
        _reading("a profile", Kind.PROFILE, "--profile", _HOSTILE),
        _reading("a command", Kind.USAGE, _HOSTILE),
        _reading("an answer", Kind.DENIED, "--profile", "admin", before=_hostile_answer),
    ),
    row(
        "F182",
        "a source program says what it knows",
        _source_case(
            "on stderr",
            'echo "no luck with $AWS_SESSION_TOKEN" >&2; exit 3',
            r"exited with status 3: no luck with \*\*\*",
            _in_no_log,
            AWS_SESSION_TOKEN=_TOKEN,
        ),
        _source_case("as its Version", """echo '{"Version": "CANARY"}'""", "another Version"),
        _source_case("instead of a document", "echo CANARY", "something else"),
        _source_case("as a key", """echo '{"Version": 1, "CANARY": "CANARY"}'""", "Missing required key"),
    ),
)
