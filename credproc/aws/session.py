"""A botocore session for the sign-in to IAM Identity Center: the one place where botocore meets the configuration.

It is given what it needs, each setting checked, and reads nothing by itself: neither of the AWS files, so that two
parsers cannot disagree about them, nor the variables of its own that choose a profile, a model, an endpoint or a mode.
"""

import os
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore
from botocore.loaders import Loader

from credproc import __version__
from credproc.aws.authorities import authorities_for
from credproc.aws.bounded import BoundedSession
from credproc.aws.proxied import proxies_config
from credproc.aws.transport import ignore_key_log
from credproc.aws.tries import retries_for
from credproc.config.settings import IDENTITY_CENTER_NAMES
from credproc.config.shared_config import Section, SharedConfig
from credproc.plan import Plan


def botocore_session(plan: Plan, config: SharedConfig, environ: Mapping[str, str]) -> botocore.session.Session:
    """Return a session that knows the sign-in of the plan's source, and how to reach it. Raises ConfigError."""
    ignore_key_log()
    name = plan.profile or "default"
    session = _Session(plan.source.urls)
    # Nor ~/.aws/models, where `aws configure add-model` writes: what lies there would choose where a token goes
    builtin = _Models(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    session.register_component("data_loader", builtin)
    session.register_component("config_store", _store(plan, config.profiles.get(name, Section(name, name)), environ))
    fields = {name: value for name, value in plan.source.identity if name in IDENTITY_CENTER_NAMES}
    signed_in = {key: fields[key] for key in ("sso_start_url", "sso_region")}
    # No public way to give a session its configuration but through a file of botocore's grammar, which is not ours
    session._config = {  # type: ignore[attr-defined]  # noqa: SLF001
        "profiles": {plan.source.profile: fields},
        "sso_sessions": {fields["sso_session"]: signed_in} if "sso_session" in fields else {},
    }
    session.user_agent_extra = f"credproc/{__version__}"
    return session


def _store(plan: Plan, section: Section, environ: Mapping[str, str]) -> ConfigValueStore:
    """Return botocore's settings: those of the connection as they are set, all others as if they were not."""
    retries = retries_for(section, environ)
    authorities = authorities_for(section, environ)
    authorities.check()
    handed = {
        "profile": plan.source.profile,
        "ca_bundle": None if authorities.where is None else authorities.path,
        "proxies_config": proxies_config(section),
        "retry_mode": retries.mode,
        "max_attempts": retries.attempts,
        "use_fips_endpoint": plan.endpoint.use_fips,
        "use_dualstack_endpoint": plan.endpoint.use_dualstack,
        "ignore_configured_endpoint_urls": True,  # whoever makes a client is told which one is configured
    }
    store = ConfigValueStore()
    for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        store.set_config_variable(name, default)
    for name, value in handed.items():
        store.set_config_variable(name, value)
    return store


class _Session(botocore.session.Session):
    """Botocore's session, whose clients go where we say, read an answer to a limit, and load no plug-ins."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        """Take the endpoints of services, by their names with an underscore; those of others are AWS's own."""
        super().__init__()
        self._urls = urls

    def create_client(self, service_name: str, *given: Any, **options: Any) -> Any:  # noqa: ANN401 - botocore's
        """Return the client."""
        options["endpoint_url"] = self._urls.get(service_name.replace("-", "_"))
        client: Any = super().create_client(service_name, *given, **options)
        # No public way to give a client its HTTP session
        client._endpoint.http_session = BoundedSession(client._endpoint.http_session)  # noqa: SLF001
        return client

    def _register_client_plugins(self, client: object) -> None:
        """Import none of the modules that BOTOCORE_EXPERIMENTAL__PLUGINS names."""


class _Models(Loader):
    """Botocore's own models, of which one is found without a look into the directories of all the others."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - Loader's signature
        """Return the services; whether one has a file of that type is seen when it is loaded."""
        return os.listdir(self.BUILTIN_DATA_PATH)
