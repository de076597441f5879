"""The plan's source → credentials: ours by ourselves, the rest by botocore's own providers, fed with our reading."""

import os
import subprocess
import time
from collections.abc import Mapping
from typing import Any

import botocore.exceptions as boto
import botocore.session
from botocore.credentials import (
    ContainerProvider,
    CredentialProvider,
    EnvProvider,
    InstanceMetadataProvider,
    ProcessProvider,
    SSOProvider,
)
from botocore.tokens import SSOTokenProvider
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from credproc.credentials import Credentials
from credproc.errors import SourceError, inert, quoted
from credproc.plan.source import Source
from credproc.process import recursion

_TOKEN_LIMIT = 64 * 1024  # bytes of a web identity token file
_STDERR_LIMIT = 200  # characters of what a program said
# What botocore raises over an answer that is none: JSON of another shape, a time that is no time
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
_METADATA_WINDOW = 900  # seconds; botocore's own default


def fetch(
    source: Source, session: botocore.session.Session, environ: Mapping[str, str], started: "Started"
) -> Credentials:
    """Return the source's credentials (those of WebIdentity come from STS, not from here).

    Children that are started on the way are put into ``started``. Raises SourceError.
    """
    if source.keys is not None:
        return source.keys
    provider = {
        "Environment": _environment,
        "Ec2InstanceMetadata": _instance_metadata,
        "EcsContainer": _container,
        "IdentityCenter": _identity_center,
        "Process": _process,
    }[source.kind]
    try:
        found = provider(source, session, environ, started).load()
        if found is not None:
            return _taken(found)
    except (boto.BotoCoreError, boto.ClientError, OSError, RuntimeError, *_MALFORMED) as error:
        raise _explained(source, error) from None
    if source.if_any:
        raise SourceError(
            "no profile is named, and this machine has no role",
            "name one with --profile or AWS_PROFILE; credproc --help shows the commands",
        )
    raise SourceError(f"{source.where}: {_NOTHING[source.kind]}", _HINTS[source.kind])


def read_token(source: Source) -> str:
    """Return the web identity token in the source's file, without the newline that editors put behind it.

    Raises SourceError.
    """
    path = os.path.expanduser(source["token_file"])
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(fd, "rb") as file:
            data = file.read(_TOKEN_LIMIT + 1) or b""
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise SourceError(f"{path}: the web identity token: {reason}", f"check {_token_setting(source)}") from None
    token = data.decode("ascii", "replace").strip()
    if not token or len(data) > _TOKEN_LIMIT or not token.isprintable() or not token.isascii():
        raise SourceError(f"{path}: holds no web identity token", f"check {_token_setting(source)}")
    return token


class Started(list["subprocess.Popen[bytes]"]):
    """The children that a source has started, so that a deadline can end them."""

    def end(self) -> None:
        """Kill those that still run."""
        for child in self:
            if child.poll() is None:
                child.kill()


def _token_setting(source: Source) -> str:
    return "AWS_WEB_IDENTITY_TOKEN_FILE" if source.profile is None else f"web_identity_token_file ({source.where})"


# --- botocore's providers; each takes what any of them needs ---------------------------------------------------


def _environment(
    _source: Source, _session: botocore.session.Session, environ: Mapping[str, str], _started: Started
) -> CredentialProvider:
    return EnvProvider(environ=dict(environ))


def _container(
    _source: Source, _session: botocore.session.Session, environ: Mapping[str, str], _started: Started
) -> CredentialProvider:
    return ContainerProvider(environ=dict(environ))


def _instance_metadata(
    _source: Source, session: botocore.session.Session, _environ: Mapping[str, str], _started: Started
) -> CredentialProvider:
    setting = session.get_config_variable
    return InstanceMetadataProvider(
        iam_role_fetcher=InstanceMetadataFetcher(
            timeout=setting("metadata_service_timeout"),
            num_attempts=setting("metadata_service_num_attempts"),
            user_agent=session.user_agent(),
            config={
                "ec2_metadata_service_endpoint": setting("ec2_metadata_service_endpoint"),
                "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
                "ec2_credential_refresh_window": _METADATA_WINDOW,
                "ec2_metadata_v1_disabled": setting("ec2_metadata_v1_disabled"),
            },
        )
    )


def _identity_center(
    source: Source, session: botocore.session.Session, _environ: Mapping[str, str], _started: Started
) -> CredentialProvider:
    return SSOProvider(
        load_config=lambda: session.full_config,
        client_creator=session.create_client,
        profile_name=source.profile or "",
        token_provider=SSOTokenProvider(session, profile_name=source.profile or ""),
    )


def _process(
    source: Source, session: botocore.session.Session, environ: Mapping[str, str], started: Started
) -> CredentialProvider:
    def popen(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401 - passed on
        # stdin is the caller's, who may leave it open for ever: the program gets none
        passed = recursion.extended(environ, source.profile)
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=passed, **options)  # noqa: S603 - the user's own line
        started.append(child)
        return child

    return ProcessProvider(profile_name=source.profile or "", load_config=lambda: session.full_config, popen=popen)


# --- what they answer ------------------------------------------------------------------------------------------


def _taken(found: Any) -> Credentials:  # noqa: ANN401 - botocore is not typed
    """Return the credentials that a provider has just loaded.

    Not by ``get_frozen_credentials`` where they are there already: within fifteen minutes of the end it would load
    them once more, and start the program a second time. The expiry has no public name. Raises RuntimeError if they
    have expired, as that one would, and TypeError if what an answer calls a key is no text.
    """
    frozen = getattr(found, "_frozen_credentials", None) or found.get_frozen_credentials()
    expiry = getattr(found, "_expiry_time", None)
    if expiry is not None and expiry.timestamp() <= time.time():
        raise RuntimeError("expired")
    if not all(isinstance(text, str) for text in (frozen.access_key, frozen.secret_key, frozen.token or "")):
        raise TypeError("no text")
    return Credentials(
        frozen.access_key,
        frozen.secret_key,
        frozen.token or None,
        None if expiry is None else int(expiry.timestamp()),
        frozen.account_id if isinstance(frozen.account_id, str) else None,
    )


_NOTHING = {
    "Environment": "credential_source = Environment, and AWS_ACCESS_KEY_ID is not set",
    "Ec2InstanceMetadata": "the instance metadata service does not answer, or has no role",
    "EcsContainer": "credential_source = EcsContainer, and no container endpoint is set in the environment",
    "IdentityCenter": "IAM Identity Center gave no credentials",
    "Process": "the program gave no credentials",
}
_HINTS = {
    "Environment": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the program starts",
    "Ec2InstanceMetadata": "attach a role to the instance, and check AWS_EC2_METADATA_DISABLED",
    "EcsContainer": "it works inside ECS and EKS, where AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI is set",
    "IdentityCenter": "check sso_account_id and sso_role_name, and that the role is assigned to you",
    "Process": "run the program by hand and look at what it prints",
}


def _explained(source: Source, error: Exception) -> SourceError:
    """Return a provider's failure in our words; what it quotes of an answer or a program's output stays inside."""
    if source.kind == "IdentityCenter":
        return _identity_center_failure(source, error)
    if source.kind == "Process":
        return _process_failure(source, error)
    reason = {
        boto.PartialCredentialsError: "is incomplete: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together",
        boto.MetadataRetrievalError: "cannot be reached, or refuses",
        boto.CredentialRetrievalError: "cannot be reached, or refuses",
        RuntimeError: "has credentials that have expired",
        TypeError: "gives an answer that holds no credentials",
        AttributeError: "gives an answer that holds no credentials",
    }.get(type(error))
    if source.kind == "EcsContainer" and isinstance(error, ValueError):
        reason = "names a host that is not this machine or the container agent, or a token with a line end"
    if isinstance(error, OSError) and error.filename:
        reason = f"{inert(str(error.filename), 200)}: {(error.strerror or 'cannot be read').lower()}"
    return SourceError(f"{source.where}: {source.kind} {reason or type(error).__name__}", _HINTS[source.kind])


def _identity_center_failure(source: Source, error: Exception) -> SourceError:
    identity = dict(source.identity)
    option = f"--sso-session {identity['sso_session']}" if "sso_session" in identity else f"--profile {source.profile}"
    signed_out = (boto.UnauthorizedSSOTokenError, boto.SSOTokenLoadError, boto.TokenRetrievalError, boto.SSOError)
    if isinstance(error, signed_out) or (isinstance(error, OSError) and not isinstance(error, ConnectionError)):
        return SourceError(
            f"{source.where}: the sign-in to IAM Identity Center has expired, or there was none",
            f"run aws sso login {option}",
        )
    if isinstance(error, boto.ClientError):
        code = inert(str(error.response.get("Error", {}).get("Code", "")), 80)
        return SourceError(
            f"{source.where}: IAM Identity Center: GetRoleCredentials: {code}",
            f"check that {identity['sso_role_name']} in {identity['sso_account_id']} is assigned to you",
        )
    if isinstance(error, RuntimeError):
        return SourceError(f"{source.where}: IAM Identity Center gave credentials that have expired", "check the clock")
    return SourceError(f"{source.where}: IAM Identity Center cannot be reached", "check the network, proxy and VPN")


def _process_failure(source: Source, error: Exception) -> SourceError:
    where = f"{source.where}: credential_process of {quoted(source.profile or '')}"
    if isinstance(error, OSError):
        return SourceError(f"{where}: cannot be started: {(error.strerror or 'error').lower()}", "check the path")
    if isinstance(error, boto.CredentialRetrievalError):
        said = inert(str(error).partition("custom-process: ")[2].strip(), _STDERR_LIMIT)
        return SourceError(f"{where}: {said or 'failed without a word'}", _HINTS["Process"])
    if isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
        return SourceError(f"{where}: printed credentials that have expired", _HINTS["Process"])
    return SourceError(f"{where}: printed no Version 1 document", _HINTS["Process"])
