"""Calls that fail: which are made again, after how long, and which never."""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

import botocore.session
import pytest
from botocore.config import Config

from credproc.aws.answer import RefusedError
from credproc.aws.client import Call, Client, Service, Settings, skew_of
from credproc.aws.errors import Explainer
from credproc.aws.message import Kind, Response, TransportError
from credproc.aws.operation import called
from credproc.aws.transport import Timeouts
from credproc.aws.tries import Retries, retries_for
from credproc.config.shared_config import Section, Setting
from credproc.credentials import Credentials
from credproc.errors import ConfigError, NetworkError, ServiceError
from credproc.plan.url import Url
from tests.loopback import Server, saying
from tests.sts import Fault, Sts, User, cut_off, fail, hang_up, redirect, say, throttle


class World(NamedTuple):
    """An STS, a user of it, and what was noted."""

    sts: Sts
    user: User
    notes: list[str]

    def client(self, **environ: str) -> Client:
        """Return a client of it."""
        service = Service("sts", "2011-06-15", Url.of(self.sts.url), "us-east-1")
        return Client(service, Settings(None, environ, self.notes.append))

    def call(self, *, is_once: bool = False, **parameters: Any) -> Call:
        """Return a call of the user."""
        keys = Credentials(self.user.access_key_id, self.user.secret_access_key)
        action = "GetSessionToken" if parameters else "GetCallerIdentity"
        return Call(action, parameters, keys, is_once)


@pytest.fixture(name="world")
def _world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with Sts() as sts:
        yield World(sts, sts.user("user1", mfa=True), [])


def _timeouts(seconds: float = 9) -> Timeouts:
    return Timeouts(time.monotonic() + seconds)


PASSING: dict[str, Fault] = {
    "throttled": throttle(),
    "500": fail(500, "InternalFailure", "x"),
    "503 in HTML": say(b"<html>busy</html>", 503, "text/html"),
    "429": fail(429, "Whatever", "x"),
    "hung up": hang_up(),
    "reset": hang_up(reset=True),
    "cut off": cut_off(),
}
LASTING: dict[str, Fault] = {
    "refused": fail(403, "AccessDenied", "no"),
    "a page": say(b"<html>", content_type="text/html"),
    "a redirect": redirect("http://127.0.0.1:9/"),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_tried_again(world: World, name: str) -> None:
    world.sts.once(PASSING[name], PASSING[name])
    answer = world.client().call(world.call(), _timeouts())
    assert answer.text("GetCallerIdentityResult", "Arn") == world.user.arn
    assert world.sts.count() == 3
    assert len(world.notes) == 2
    assert all(": again in 0." in note or ": again in 1." in note for note in world.notes)


@pytest.mark.parametrize("name", PASSING)
def test_after_three_tries_the_failure_stands_as_with_botocore(world: World, name: str) -> None:
    world.sts.always(PASSING[name])
    with pytest.raises((RefusedError, TransportError)):
        world.client().call(world.call(), _timeouts())
    assert world.sts.count() == 3


@pytest.mark.parametrize("name", LASTING)
def test_what_will_not_pass_is_not_tried_again(world: World, name: str) -> None:
    world.sts.always(LASTING[name])
    with pytest.raises((RefusedError, ValueError)):
        world.client().call(world.call(), _timeouts())
    assert world.sts.count() == 1


@pytest.mark.parametrize("name", [*PASSING, *LASTING])
def test_a_call_that_must_be_made_once_is(world: World, name: str) -> None:
    world.sts.always((PASSING | LASTING)[name])
    with pytest.raises((RefusedError, TransportError, ValueError)):
        world.client().call(world.call(is_once=True), _timeouts())
    assert world.sts.count() == 1


@pytest.mark.parametrize("skew", [-660, 660])
def test_a_code_is_sent_once_whatever_the_clock(world: World, skew: int) -> None:
    world.sts.clock_offset = skew
    call = world.call(is_once=True, SerialNumber=world.user.mfa_serial, TokenCode="123456")
    with pytest.raises(RefusedError):
        world.client().call(call, _timeouts())
    assert world.sts.count() == 1


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_a_wrong_clock_is_corrected_once_noted_and_remembered(world: World, skew: int) -> None:
    world.sts.clock_offset = skew
    client = world.client()
    client.call(world.call(), _timeouts())
    assert world.sts.count() == 2
    (note,) = world.notes
    assert f"s {'behind' if skew > 0 else 'ahead of'} the one of http://127.0.0.1:" in note
    client.call(world.call(), _timeouts())
    assert world.sts.count() == 3, "the second call knows"


def test_a_wrong_clock_is_not_corrected_again_and_again(world: World) -> None:
    world.sts.clock_offset = 7200
    world.sts.always(fail(403, "SignatureDoesNotMatch", "Signature expired"))
    with pytest.raises(RefusedError):
        world.client().call(world.call(), _timeouts())
    assert world.sts.count() == 2


def test_a_wrong_secret_is_not_taken_for_a_wrong_clock(world: World) -> None:
    world.sts.always(fail(403, "SignatureDoesNotMatch", "The request signature we calculated does not match"))
    with pytest.raises(RefusedError):
        world.client().call(world.call(), _timeouts())
    assert world.sts.count() == 1


@pytest.mark.parametrize(("ahead", "told"), [(240, None), (241, 241), (-240, None), (-241, -241)])
def test_the_skew_is_what_explains_a_refusal(ahead: int, told: int | None) -> None:
    response = Response(403, "", {"date": "Fri, 27 Nov 2026 12:00:00 GMT"}, b"")
    now = 1795780800 + ahead
    assert skew_of(RefusedError("RequestExpired", "", response), now) == told
    assert skew_of(RefusedError("AccessDenied", "", response), now) is None
    for date in ("", "yesterday", "Fri, 99 Nov 2026 12:00:00 GMT"):
        assert skew_of(RefusedError("RequestExpired", "", response._replace(headers={"date": date})), now) is None


def test_no_try_begins_that_could_not_end_in_time(world: World) -> None:
    world.sts.always(throttle())
    with pytest.raises((RefusedError, TransportError)):
        world.client(AWS_MAX_ATTEMPTS="100").call(world.call(), _timeouts(2))
    assert 1 <= world.sts.count() < 20


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_as_many_tries_are_made_as_are_set(world: World, attempts: int) -> None:
    world.sts.always(fail(500, "InternalFailure", "x"))
    with pytest.raises(RefusedError):
        world.client(AWS_MAX_ATTEMPTS=str(attempts)).call(world.call(), _timeouts())
    assert world.sts.count() == attempts


# --- the rules, beside botocore's -------------------------------------------------------------------------------------


def _refused(code: str, status: int = 400, retry_after: str = "") -> RefusedError:
    return RefusedError(code, "", Response(status, "", {"x-amz-retry-after": retry_after}, b""))


def _of_botocores(mode: str, name: str) -> Any:
    """Return a class of botocore's retries."""
    return getattr(__import__(f"botocore.retries.{mode}", fromlist=[name]), name)


def test_throttling_codes_are_botocores() -> None:
    checker = _of_botocores("standard", "ThrottledRetryableChecker")
    transient = _of_botocores("standard", "TransientRetryableChecker")
    for code in checker._THROTTLED_ERROR_CODES:
        assert Retries().pause(_refused(code), 1, 0.999) == 0.999 * 1.0, code
    for code in set(transient._TRANSIENT_ERROR_CODES) - set(checker._THROTTLED_ERROR_CODES):
        assert Retries().pause(_refused(code), 1, 1.0) == 0.05, code
    for status in transient._TRANSIENT_STATUS_CODES:
        assert Retries().pause(_refused("X", status), 1, 1.0) == 0.05
    assert Retries().pause(_refused("IDPCommunicationError"), 1, 1.0) == 0.05
    assert Retries().pause(_refused("X", 429), 1, 1.0) == 1.0
    for code in ("AccessDenied", "ExpiredToken", ""):
        assert Retries().pause(_refused(code), 1, 1.0) is None


@pytest.mark.parametrize("kind", ["resolve", "connect", "connect timeout", "read timeout", "closed", "cut off", "tls"])
def test_a_connection_that_failed_may_do_better(kind: Kind) -> None:
    assert Retries().pause(TransportError(kind), 1, 1.0) == 0.05


@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_way_to_fail_is_put_into_words(kind: Kind) -> None:
    explained = Explainer("AssumeRole", "arn", Url.of("https://sts.example")).explained(TransportError(kind))
    assert str(explained).startswith("https://sts.example: AssumeRole: ")
    assert explained.hint


@pytest.mark.parametrize("kind", ["certificate", "proxy", "malformed"])
def test_what_stays_as_it_is_is_not_tried_again(kind: Kind) -> None:
    assert Retries().pause(TransportError(kind), 1, 1.0) is None
    assert Retries().pause(ValueError(), 1, 1.0) is None


def test_the_pauses_double_up_to_twenty_seconds_and_are_drawn_by_lot() -> None:
    many = Retries("standard", 100)
    assert [many.pause(_refused("Throttling"), attempt, 1.0) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]
    assert many.pause(_refused("Throttling"), 3, 0.5) == 2
    assert many.pause(_refused("Throttling"), 3, 0.0) == 0
    assert many.pause(TransportError("closed"), 2, 1.0) == 0.1
    legacy = Retries("legacy", 5)
    assert [legacy.pause(TransportError("closed"), attempt, 0.5) for attempt in range(1, 6)] == [0.5, 1, 2, 4, None]


@pytest.mark.parametrize(
    ("asked", "pause"),
    [("2000", 2.0), ("500", 1.0), ("60000", 6.0), ("-1", 1.0), ("x", 1.0), ("", 1.0), ("9" * 30, 6.0)],
)
def test_a_service_may_ask_for_a_longer_pause(asked: str, pause: float) -> None:
    assert Retries().pause(_refused("Throttling", retry_after=asked), 1, 1.0) == pause


def _section(**settings: str) -> Section:
    section = Section("p", "config:1")
    for number, (key, value) in enumerate(settings.items(), start=2):
        section[key] = Setting(value, f"config:{number}")
    return section


@pytest.mark.parametrize(
    ("environ", "settings", "found"),
    [
        ({}, {}, Retries("standard", 3)),
        ({}, {"retry_mode": "legacy"}, Retries("legacy", 5)),
        ({}, {"retry_mode": "adaptive"}, Retries("adaptive", 3)),
        ({"AWS_RETRY_MODE": "legacy"}, {"retry_mode": "standard"}, Retries("legacy", 5)),
        ({"AWS_RETRY_MODE": ""}, {"retry_mode": "legacy"}, Retries("legacy", 5)),
        ({"AWS_MAX_ATTEMPTS": "7"}, {"max_attempts": "2"}, Retries("standard", 7)),
        ({}, {"max_attempts": "2", "retry_mode": "legacy"}, Retries("legacy", 2)),
        ({}, {"max_attempts": "0"}, Retries("standard", 1)),
        ({}, {"max_attempts": ""}, Retries("standard", 3)),
        ({"AWS_DEFAULTS_MODE": "In-Region"}, {}, Retries("standard", 3)),
    ],
)
def test_mode_and_attempts_come_from_the_environment_before_the_profile(
    environ: Mapping[str, str], settings: dict[str, str], found: Retries
) -> None:
    assert retries_for(_section(**settings), environ) == found


def test_without_a_profile_and_variables_the_modes_are_botocores_own() -> None:
    client: Any = botocore.session.Session().create_client(
        "sts", region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="s", config=Config()
    )
    assert client.meta.config.retries["mode"] == retries_for(None, {}).mode
    assert _of_botocores("standard", "MaxAttemptsChecker")(3) is not None


@pytest.mark.parametrize(
    ("environ", "settings", "said"),
    [
        (
            {"AWS_RETRY_MODE": "often"},
            {},
            "AWS_RETRY_MODE: retry_mode must be legacy or standard or ",
        ),
        ({}, {"max_attempts": "many"}, "config:2: max_attempts must be an integer, not 'many'"),
        ({}, {"defaults_mode": "x"}, "config:2: defaults_mode must be one of legacy, "),
    ],
)
def test_a_setting_that_cannot_be_followed_is_named(
    environ: Mapping[str, str], settings: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as failure:
        retries_for(_section(**settings), environ)
    assert str(failure.value).startswith(said)


# --- in words ---------------------------------------------------------------------------------------------------------


def _said(client: Client, call: Call) -> tuple[str, str | None]:
    with pytest.raises((ServiceError, NetworkError)) as failure:
        called(client, call, Explainer(call.action, "arn", client.service.url))
    return str(failure.value), failure.value.hint


def test_a_redirect_is_said_to_be_one(world: World) -> None:
    world.sts.always(redirect("https://portal.example/sign-in?from=precious"))
    said, hint = _said(world.client(), world.call())
    assert said == (
        f"{world.sts.url}: GetCallerIdentity: answers with a redirect (302) to https://portal.example/sign-in,"
        " which is not followed"
    )
    assert hint is not None
    assert "portal" in hint


def test_a_page_with_an_error_status_is_said_with_it(world: World) -> None:
    world.sts.always(say(b"<html>no", 404, "text/html"))
    assert _said(world.client(), world.call())[0] == (
        f"{world.sts.url}: GetCallerIdentity: answers with 404, and the answer cannot be understood"
    )


def test_a_parameter_that_cannot_be_sent_is_said_and_not_sent(world: World) -> None:
    said, _ = _said(world.client(), world.call(SerialNumber="\udcff"))
    assert said == f"{world.sts.url}: GetSessionToken: a parameter holds what cannot be sent"
    assert world.sts.count() == 0


def test_a_proxy_that_wants_a_password_is_said_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with Server(saying(answer)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:precious@127.0.0.1:{proxy.port}")
        said, hint = _said(world.client(), world.call())
    assert said == (
        f"{world.sts.url}: GetCallerIdentity: the proxy asks for a user and a password, or does not take these (407)"
        f" (the proxy is 127.0.0.1:{proxy.port})"
    )
    assert hint == "write them into http_proxy: http://USER:PASSWORD@HOST:PORT"


def test_a_missing_bundle_is_said_with_its_path_and_variable(world: World) -> None:
    service = Service("sts", "2011-06-15", Url.of("https://127.0.0.1:9"), "us-east-1")
    client = Client(service, Settings(None, {"AWS_CA_BUNDLE": "/nowhere.pem"}))
    with pytest.raises(ConfigError, match=r"AWS_CA_BUNDLE: /nowhere\.pem: no such file or directory"):
        called(client, world.call(), Explainer("X", "arn", service.url))


def test_an_answer_is_the_operations_result_or_empty(world: World) -> None:
    explainer = Explainer("GetCallerIdentity", "arn", Url.of(world.sts.url))
    assert called(world.client(), world.call(), explainer).text("Arn") == world.user.arn
    world.sts.always(say(b"<Other/>"))
    assert called(world.client(), world.call(), explainer).text("Arn") is None
