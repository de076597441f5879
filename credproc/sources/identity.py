"""Whose credentials a source gives: what a hit looks at (dependencies.py), and what a refresh compares.

An entry is served as long as the first has not changed; where it has, and the second is equal (a token was rotated),
the entry is served all the same, and no call is made. No secret is in either, only digests.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from credproc import dependencies
from credproc.config.shared_config import Section, SharedConfig
from credproc.files import digest
from credproc.paths import UNSURE
from credproc.plan import Plan
from credproc.plan.source import Source

_TOKEN_LIMIT = 64 * 1024  # bytes
_CONTAINER_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - a variable's name
_CONTAINER_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the same
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
# Settings that choose where the instance's metadata is, by their variables (botocore, configprovider.py)
_METADATA = {
    "ec2_metadata_service_endpoint": "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "ec2_metadata_service_endpoint_mode": "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "ec2_metadata_v1_disabled": "AWS_EC2_METADATA_V1_DISABLED",
    "imds_use_ipv6": "AWS_IMDS_USE_IPV6",
}


class Identity(NamedTuple):
    """Whose a source's credentials are, as far as can be told without fetching them."""

    depends_on: tuple[str, ...] = ()  # for the header of an entry
    compared: dict[str, Any] | None = {}  # noqa: RUF012 - values of JSON; None: unknown, and equal to no other


NO_IDENTITY = Identity()  # where the plan alone tells


def identity_of(plan: Plan, config: SharedConfig, environ: Mapping[str, str], now: float) -> Identity:
    """Return the identity behind the plan's source at ``now`` (epoch seconds). Reads its token, if it has one."""
    depends_on = _dependencies(plan.source, environ)
    fields = dependencies.header_fields(depends_on, environ, now)  # before the token is read
    return Identity(fields, _compared(plan, config, environ, now))


def _dependencies(source: Source, environ: Mapping[str, str]) -> tuple[str, ...]:
    match source.kind:
        case "StaticKeys" | "KeyringKeys":
            return ()
        case "Environment":
            return (dependencies.variables(*_SECRETS),)
        case "WebIdentity":
            return (dependencies.file(source.field("token_file")),)
        case "IdentityCenter":
            from credproc.sources import sso_token  # noqa: PLC0415 - hashlib, for one of them

            return (dependencies.file(sso_token.path(source)),)
        case "LoginSession":  # whoever signs in as somebody else gets another login_session in the file
            return (dependencies.variables("AWS_LOGIN_CACHE_DIRECTORY"), dependencies.MACHINE)
        case "Process":
            return (dependencies.ENVIRONMENT, dependencies.DIRECTORY, dependencies.MACHINE)
        case "Ec2InstanceMetadata":
            return (dependencies.MACHINE,)
        case "EcsContainer":
            return (dependencies.MACHINE, _container_token(environ))


def _container_token(environ: Mapping[str, str]) -> str:
    if _CONTAINER_TOKEN_FILE in environ:  # botocore opens it as it is written
        path = environ[_CONTAINER_TOKEN_FILE]
        return dependencies.file(f"./{path}" if path.startswith("~") else path)
    return dependencies.variables(_CONTAINER_TOKEN)


def _compared(plan: Plan, config: SharedConfig, environ: Mapping[str, str], now: float) -> dict[str, Any] | None:
    source, keys = plan.source, plan.source.keys
    match source.kind:
        case "KeyringKeys":
            return {}
        case "StaticKeys":
            return (
                {}
                if keys is None
                else {"keys": _digest(keys.access_key_id, keys.secret_access_key, keys.session_token)}
            )
        case "Environment":
            return {"keys": _digest(*(environ.get(name) for name in _SECRETS))}
        case "WebIdentity":
            return _with_token(_read(os.path.expanduser(source.field("token_file"))))
        case "IdentityCenter":
            from credproc.sources import sso_token  # noqa: PLC0415 - the same

            token = sso_token.access_token(source)
            return None if token is None else {"token": _digest(token)}
        case "Process" | "LoginSession":
            return _states(_dependencies(source, environ), environ, now)
        case "Ec2InstanceMetadata":
            return {**_machine(environ, now), **_metadata(plan, config, environ)}
        case "EcsContainer":
            agent = _container_identity(environ)
            return None if agent is None else {**_machine(environ, now), **agent}


def _states(dependencies_: tuple[str, ...], environ: Mapping[str, str], now: float) -> dict[str, Any] | None:
    found = {one: dependencies.state(one, environ, now) for one in dependencies_}
    return None if UNSURE in found.values() else found


def _machine(environ: Mapping[str, str], now: float) -> dict[str, Any]:
    return {dependencies.MACHINE: dependencies.state(dependencies.MACHINE, environ, now)}


def _with_token(token: str | None) -> dict[str, Any] | None:
    return None if token is None else {"token": token_identity(token)}


def _container_identity(environ: Mapping[str, str]) -> dict[str, Any] | None:
    if _CONTAINER_TOKEN_FILE in environ:
        return _with_token(_read(environ[_CONTAINER_TOKEN_FILE]))
    token = environ.get(_CONTAINER_TOKEN)
    return {"token": None} if token is None else _with_token(token)


def _metadata(plan: Plan, config: SharedConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    section = _selected(plan, config)
    found: dict[str, Any] = {key: environ.get(name) or section.value(key) for key, name in _METADATA.items()}
    return {**found, "disabled": environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"}


def _selected(plan: Plan, config: SharedConfig) -> Section:
    name = plan.profile or "default"
    return config.profiles.get(name, Section(name, name))


def _read(path: str) -> str | None:
    """Return the token in the file, or None where there is none that can be read."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(fd, "rb") as file:
            data = file.read(_TOKEN_LIMIT + 1) or b""
    except (OSError, ValueError):
        return None
    return data.decode("utf-8", "surrogateescape") if len(data) <= _TOKEN_LIMIT else None


def token_identity(token: str) -> str:
    """Return a digest of whom the token stands for: issuer, subject and audience of a JWT, else the token itself.

    The signature is not checked: who can put a token here could put one of the same identity here.
    """
    claims = _claims(token.strip())
    if claims is None:
        return _digest(token.strip())
    return "jwt:" + _digest(json.dumps([claims[name] for name in ("iss", "sub", "aud")], sort_keys=True))


def _claims(token: str) -> dict[str, Any] | None:
    """Return the claims of a JWT (RFC 7519) that says issuer, subject and audience, or None for any other token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    import base64  # noqa: PLC0415 - for a JWT alone

    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(found.get(name) for name in ("iss", "sub", "aud")):
        return None
    return found


def _digest(*parts: str | None) -> str:
    return digest("\0".join("-" if part is None else "=" + part for part in parts))
