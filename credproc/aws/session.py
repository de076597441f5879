"""A botocore session that has read what we have read: the one place where botocore meets the configuration.

Botocore opens neither AWS file, so two parsers cannot disagree about them, and the profile is always named: AWS_PROFILE
may name the very profile that called us.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import botocore.session
from botocore.loaders import Loader

from credproc import __version__
from credproc.aws.authorities import authorities_for
from credproc.aws.bounded import BoundedSession
from credproc.aws.transport import ignore_key_log
from credproc.config.settings import REFUSED_NAMES
from credproc.config.shared_config import Section, SharedConfig


def botocore_session(
    config: SharedConfig, profile: str | None, urls: Mapping[str, str] = MappingProxyType({})
) -> botocore.session.Session:
    """Return a session for the profile (None: none is named) with our reading of the two files as its configuration.

    ``urls`` are the endpoints of services, by their names with an underscore; those of others are AWS's own.
    """
    # The AWS CLI exports AWS_DATA_PATH for its own models, and they would take the place of ours
    os.environ.pop("AWS_DATA_PATH", None)
    ignore_key_log()
    name = profile or "default"
    session = _Session(config.profiles.get(name), urls)
    # Nor ~/.aws/models, where `aws configure add-model` writes: what lies there would choose where STS is
    builtin = _Models(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    session.register_component("data_loader", builtin)
    profiles = {section.name: _plain(section) for section in config.profiles.values()}
    profiles.setdefault(name, {})
    # No public way to give a session its configuration but through a file of botocore's grammar, which is not ours
    session._config = {  # type: ignore[attr-defined]  # noqa: SLF001
        "profiles": profiles,
        "sso_sessions": {section.name: _plain(section) for section in config.sso_sessions.values()},
    }
    session.set_config_variable("profile", name)
    session.set_config_variable("ignore_configured_endpoint_urls", True)  # those that are followed are ``urls``
    session.user_agent_extra = f"credproc/{__version__}"
    return session


class _Session(botocore.session.Session):
    """Botocore's session; its clients send where we say, trust whom we say, and read an answer to a limit."""

    def __init__(self, section: Section | None, urls: Mapping[str, str]) -> None:
        super().__init__()
        self._section = section
        self._urls = urls

    def create_client(self, service_name: str, *given: Any, **options: Any) -> Any:  # noqa: ANN401 - botocore's
        """Return the client. Raises ConfigError if the profile's CA bundle cannot be followed."""
        authorities = authorities_for(self._section, os.environ)
        if authorities.where is not None:
            options["verify"] = authorities.path
        options["endpoint_url"] = self._urls.get(service_name.replace("-", "_"))
        client: Any = super().create_client(service_name, *given, **options)
        # No public way to give a client its HTTP session
        client._endpoint.http_session = BoundedSession(client._endpoint.http_session)  # noqa: SLF001
        return client


class _Models(Loader):
    """Botocore's own models, of which one is found without a look into the directories of all the others."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - Loader's signature
        """Return the services; whether one has a file of that type is seen when it is loaded."""
        return os.listdir(self.BUILTIN_DATA_PATH)


def _plain(section: Section) -> dict[str, Any]:
    """Return the section as botocore's own loader would: strings, and nested settings as dictionaries.

    Without the settings that say where secrets go: those ``Section.setting`` gives, and checks.
    """
    plain: dict[str, Any] = {}
    for key in section:
        name = key.removeprefix("credproc_")
        if name in REFUSED_NAMES:
            continue
        setting = section.get(f"credproc_{name}") or section[key]
        plain[name] = setting.sub_properties() if setting.value.startswith("\n") else setting.value
    return plain
