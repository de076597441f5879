"""U. Where secrets go: endpoints of plain http."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, row
from tests.metadata import Container, Sso
from tests.program import ROLE
from tests.sts import Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.faults.scene import Result, Scene

_SESSION = f"[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {Sso.START_URL}\n"
_PORTAL, _RENEWAL = "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"


def _identity_center(settings: str, other: str, variables: Mapping[str, str]) -> Callable[[Scene], Sso]:
    """Return what lets the profile be one of Identity Center, whose token is to be renewed.

    HERE is the service, and AWAY the same by a name of this machine that does not show that it is this machine's.
    """

    def make(scene: Scene) -> Sso:
        portal = scene._stack.enter_context(Sso(scene.sts, scene.role))
        portal.sign_in(scene.home.path, 60, sso_session="corp", refreshable=True)

        def filled(text: str) -> str:
            return text.replace("HERE", portal.url).replace("AWAY", portal.url.replace("127.0.0.1", "127.1"))

        source = f"sso_session = corp\nsso_account_id = {portal.account_id}\nsso_role_name = {portal.role_name}\n"
        scene.home.config(filled(f"[profile admin]\n{source}{settings}\n{_SESSION}{other}"))
        scene.home.environ |= {name: filled(value) for name, value in variables.items()}
        return portal

    return make


def _container(variable: str, value: str) -> Callable[[Scene], Container]:
    """Return what lets the role stand on a container, whose agent wants a token; HOST is the agent's."""

    def make(scene: Scene) -> Container:
        scene.sts.role(scene.role.arn, Trust(("*",)))
        agent = scene._stack.enter_context(Container(scene.sts, scene.role, authorization="token"))
        scene.home.config(f"[profile admin]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
        scene.home.environ |= agent.environment()
        scene.home.environ[variable] = value.replace("HOST", agent.url.removeprefix("http://"))
        return agent

    return make


def _unsent(name: str, make: Callable[[Scene], Sso | Container], says: str) -> Case:
    """Return the case in which the service is asked nothing, and so gets no secret."""
    made: list[Sso | Container] = []

    def before(scene: Scene) -> None:
        made[:] = [make(scene)]

    def check(_scene: Scene, _result: Result) -> None:
        assert made[0].requests == [], "a secret was sent"

    def undo(scene: Scene) -> None:
        for variable in (*variables_of(made[0]), "AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            scene.home.environ.pop(variable, None)
        scene.config()

    return Case(name, Kind.UNSAFE, before=before, undo=undo, check=check, says=says, calls=0)


def variables_of(service: Sso | Container) -> tuple[str, ...]:
    """Return the variables that name the service."""
    return tuple(service.environment())


def _portal(name: str, says: str, settings: str = "", other: str = "", **variables: str) -> Case:
    return _unsent(name, _identity_center(settings, other, variables), says)


_HTTP = "{}: the {} endpoint is plain http to 127.1: "
_OWN = "[services own]\n{} =\n  endpoint_url = AWAY\n"

ROWS = (
    row(
        "F179",
        "Identity Center or a container's endpoint at plain http of another host",
        _portal("portal", _HTTP.format(_PORTAL, "SSO"), AWS_ENDPOINT_URL_SSO="AWAY", AWS_ENDPOINT_URL_SSO_OIDC="HERE"),
        _portal(
            "renewal",
            _HTTP.format(_RENEWAL, "SSO OIDC"),
            AWS_ENDPOINT_URL_SSO="HERE",
            AWS_ENDPOINT_URL_SSO_OIDC="AWAY",
        ),
        _portal("for all services", _HTTP.format("AWS_ENDPOINT_URL", "SSO"), AWS_ENDPOINT_URL="AWAY"),
        _portal("in the profile", _HTTP.format(r"~/\.aws/config:5", "SSO"), "endpoint_url = AWAY"),
        _portal("services, portal", _HTTP.format(r"config:\d+", "SSO"), "services = own", _OWN.format("sso")),
        _portal(
            "services, renewal",
            _HTTP.format(r"config:\d+", "SSO OIDC"),
            "services = own",
            _OWN.format("sso_oidc"),
            AWS_ENDPOINT_URL_SSO="HERE",
        ),
        *(
            _unsent(f"a container: {value}", _container(variable, value), f"{variable}: the container endpoint ")
            for variable, value in (
                # botocore checks one host and its urllib3 connects to the other
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", r"http://HOST\@localhost/"),
                ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@HOST/"),
                ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".example/"),
            )
        ),
    ),
)
