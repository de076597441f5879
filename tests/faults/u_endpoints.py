"""U. Where secrets go: endpoints of plain http, and settings of a file that others can change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, row
from tests.faults.scene import NOBODY
from tests.metadata import Container, Sso
from tests.program import ROLE
from tests.sts import Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.faults.rows import Step
    from tests.faults.scene import Result, Scene

_SESSION = f"[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {Sso.START_URL}\n"
_STS = "AWS_ENDPOINT_URL_STS"
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


# Settings of a file that others can change


def _with_sts_of_the_file(scene: Scene) -> str:
    """Take the STS out of the environment, and return its URL."""
    url: str = scene.home.environ.pop(_STS)
    return url


def _endpoint_url(scene: Scene) -> None:
    scene.config(f"endpoint_url = {_with_sts_of_the_file(scene)}")


def _services(scene: Scene) -> None:
    url = _with_sts_of_the_file(scene)
    scene.config("services = own", other=f"[services own]\nsts =\n  endpoint_url = {url}\n")


def _section_of_services(scene: Scene) -> None:
    """Let the credentials file, which nobody else may write, name a section of the config."""
    url = _with_sts_of_the_file(scene)
    path = scene.home.path / ".aws" / "credentials"
    path.write_text(f"{path.read_text()}[admin]\nservices = own\n")
    scene.config(other=f"[services own]\nsts =\n  endpoint_url = {url}\n")


def _web_identity(scene: Scene) -> None:
    url = _with_sts_of_the_file(scene)
    (scene.path / "token").write_text(scene.canary("web identity token"))
    scene.home.config(
        f"[profile admin]\nrole_arn = {ROLE}\nweb_identity_token_file = {scene.path}/token\nendpoint_url = {url}\n"
    )


def _ca_bundle(scene: Scene) -> None:
    scene.config(f"ca_bundle = {scene.path}/ca.pem")


def _proxies_config(scene: Scene) -> None:
    scene.home.environ |= {_STS: "http://localhost:9", "HTTP_PROXY": scene.sts.url}
    scene.config("proxies_config =\n  proxy_ca_bundle = ca.pem")


def _unused(scene: Scene) -> None:
    scene.config("endpoint_url = https://sts.example", "ca_bundle = ca.pem")
    scene.home.environ["AWS_CA_BUNDLE"] = "/etc/ssl/certs/ca-certificates.crt"


def _untrusted(name: str, make: Step, key: str, *, uid: int = 0, mode: int = 0o666) -> Case:
    """Return the case in which the config is another user's, or anybody may write it."""
    reason = rf"is writable by others \(mode {mode:o}\)" if uid == 0 else rf"belongs to another user \({uid}\)"

    def before(scene: Scene) -> None:
        make(scene)
        path = scene.home.path / ".aws" / "config"
        path.chmod(mode if uid == 0 else 0o600)
        os.chown(path, uid, -1)

    def undo(scene: Scene) -> None:
        (scene.home.path / ".aws" / "config").unlink()
        scene.home.environ.pop("HTTP_PROXY", None)
        scene.home.environ.pop("AWS_CA_BUNDLE", None)
        scene.home.environ[_STS] = scene.sts.url
        scene.config()

    if not key:
        return Case(name, before=before, undo=undo, logs=rf"~/\.aws/config: {reason}", calls=1)
    says = rf"(?m)^credproc: error: ~/\.aws/config:\d+: {key} is refused: the file {reason}$"
    return Case(name, Kind.UNSAFE, before=before, undo=undo, says=says, calls=0)


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
    row(
        "F180",
        "a config that others may write, or another user's, chooses where secrets go",
        *(
            _untrusted(f"{name}, {whose}", make, key, uid=uid)
            for whose, uid in (("writable", 0), ("another's", NOBODY))
            for name, make, key in (
                ("endpoint_url", _endpoint_url, "endpoint_url"),
                ("services", _services, "services"),
                ("the section of services", _section_of_services, "endpoint_url"),
                ("web identity", _web_identity, "endpoint_url"),
                ("ca_bundle", _ca_bundle, "ca_bundle"),
                ("proxies_config", _proxies_config, "proxies_config"),
                ("variables win", _unused, ""),
            )
        ),
    ),
)
