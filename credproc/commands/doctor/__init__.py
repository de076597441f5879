"""credproc doctor: check the configuration and what it depends on, and say what to do; one module per subject."""

import argparse
from collections.abc import Iterator

from credproc import paths, terminal
from credproc.commands.arguments import add_profile_argument
from credproc.commands.doctor import environment, files, profiles, services
from credproc.commands.doctor.bundles import untrusted_bundles
from credproc.commands.doctor.check import Check, from_error, ok, warn
from credproc.commands.doctor.failures import last_failures
from credproc.commands.doctor.helper_lines import Line, helper_lines
from credproc.commands.ui.output import Output
from credproc.commands.ui.progress import Progress
from credproc.config.parser import read
from credproc.config.settings import SESSION_STORES, session_store_named
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError, CredprocError, inert, quoted
from credproc.files import open_directory
from credproc.glyphs import terminal_columns, wrapped
from credproc.plan import Plan, plan_for
from credproc.plan.endpoint import Endpoint, endpoint_for
from credproc.request import Request
from credproc.stores import store_for

_STS_SECONDS = 8  # for one connection and one response

GROUP = "diagnose"
HELP = "check the setup, suggest fixes, show recent failures"
DESCRIPTION = (
    "Check files, settings, environment, cache, keyring, terminal, STS and clock, and show the last failures, which"
    " some SDKs hide. The exit status is 1 if something is wrong."
)


class Examination:
    """One run of the checks, for one profile or for all profiles that use credproc."""

    def __init__(self, request: Request, profile: str | None, progress: Progress) -> None:
        """Create the examination of a profile, or of all that use credproc (None)."""
        self._request = request
        self._environ = request.environ
        self._profile = profile
        self._progress = progress
        self._config: SharedConfig | None = None
        self._plans: list[Plan] = []

    def checks(self, *, offline: bool) -> Iterator[Check]:
        """Yield the results, in the order in which a request needs them; ``offline``: without a request to STS."""
        yield files.aws_file(paths.config_file(self._environ), self._environ, secret=False)
        yield files.aws_file(paths.credentials_file(self._environ), self._environ, secret=True)
        try:
            self._config = read(self._environ)
        except ConfigError as error:
            yield from_error(error)
        else:
            yield from self._settings(self._config)
        yield from environment.variables(self._environ, self._plans)
        yield from environment.homes(self._environ)
        yield from environment.broken_proxies()
        yield from untrusted_bundles(self._sections(), self._environ)
        yield files.cache_directory(self._environ)
        wanted = {plan.mfa.prompt for plan in self._plans if plan.mfa is not None}
        yield from environment.prompts(terminal.unavailable_reason(), self._environ, wanted)
        yield self._session_store()
        if not offline and self._config is not None:
            yield from self._sts(self._config)
        yield last_failures(self._environ, self._looked_at(), self._request.clock())

    def _looked_at(self) -> list[str | None] | None:
        """Return the profiles whose failures matter: the one that is checked, by its names, or all that there are."""
        if self._profile is not None:
            return [self._profile, *(plan.profile for plan in self._plans)]
        return None if self._config is None else [None, *self._config.profiles]

    def _settings(self, config: SharedConfig) -> Iterator[Check]:
        yield from (from_error(error) for error in config.errors())
        for remark in config.remarks:
            yield warn(f"{remark}; other programs may read it differently", "remove or correct it")
        found = [
            line
            for line in helper_lines(config, self._environ, self._request.program)
            if self._profile in (None, line.section.name)
        ]
        for line in found:
            yield from profiles.settings_that_win(line.section)
            yield from profiles.helper_line(line, self._request.program, self._request.environ)
        if self._profile is not None:
            yield from self._plan_checks(config, self._profile, quiet=False)
        else:
            yield from self._all_plan_checks(config, found)
        if found and any(plan.roles for plan in self._plans):
            yield from profiles.keys_in_plain_sight(config)

    def _all_plan_checks(self, config: SharedConfig, found: list[Line]) -> Iterator[Check]:
        if not found:
            yield warn(
                "no profile has a credential_process line that starts credproc",
                "run credproc doctor NAME to check any other profile",
            )
            return
        count = f"{len(found)} profile{'s use' if len(found) > 1 else ' uses'}"
        yield ok(f"{count} credproc")
        for line in found:
            yield from self._plan_checks(config, line.section.name, quiet=True)

    def _plan_checks(self, config: SharedConfig, profile: str, *, quiet: bool) -> Iterator[Check]:
        """Yield whether a plan can be made for the profile; ``quiet``: only if it cannot."""
        try:
            plan = plan_for(config, self._request._replace(profile=profile))
        except ConfigError as error:
            yield profiles.plan_result(profile, error)
            return
        self._plans.append(plan)
        if not quiet:
            yield profiles.plan_result(profile, None)
        yield from profiles.session_without_iam(plan, f"profile {quoted(profile)}")
        yield from profiles.signed_out(plan, profile, self._environ, self._request.clock())

    def _sections(self) -> list[Section]:
        """Return the sections of the profiles that are looked at, as far as their settings can be followed."""
        profiles = {} if self._config is None else self._config.profiles
        names = [plan.profile or "default" for plan in self._plans]
        return [profiles[name] for name in names if name in profiles]

    def _session_store(self) -> Check:
        self._progress.show("checking the keyring ...")
        chosen = [plan.mfa.session_store for plan in self._plans if plan.mfa is not None]
        variable = session_store_named(self._environ.get("CREDPROC_SESSION_STORE", ""))
        kind = variable or (chosen[0] if chosen else SESSION_STORES[0])
        directory = open_directory(paths.cache_directory(self._environ)) if kind == "file" else None
        # Without a directory, a keyring that did not answer a minute ago is asked all the same, as doctor should
        can_prompt = terminal.noninteractive_reason(self._environ) is None
        on_unlock = (lambda: self._progress.show("waiting for the keyring to be unlocked ...")) if can_prompt else None
        return services.session_store(store_for(kind, directory, self._environ, on_unlock))

    def _sts(self, config: SharedConfig) -> Iterator[Check]:
        try:
            endpoint = self._endpoint(config)
        except ConfigError as error:
            if self._profile is None:  # else the check of the profile has reported it
                yield from_error(error)
            return
        self._progress.show(f"asking {services.sts_name(endpoint)} ...")
        from credproc.aws import http, proxies  # noqa: PLC0415 - ssl, not for --offline
        from credproc.aws.client import Settings  # noqa: PLC0415
        from credproc.plan.url import Url  # noqa: PLC0415

        profile = self._plans[0].profile if self._profile and self._plans else None
        url = Url.of(endpoint.address)
        try:
            settings = Settings.of(config, profile, self._environ, _STS_SECONDS)
            answer, seconds = http.get(url, "GET", settings)
            proxy = proxies.proxy_for(url.scheme, url.host_header)
        except CredprocError as error:
            yield from_error(error, "STS: ")
            return
        proxy_name = None if proxy is None else proxies.shown(proxy)
        yield services.sts_response(url.host_header, answer.status, seconds, proxy_name)
        yield services.clock(answer.headers.get("date"), self._request.clock())

    def _endpoint(self, config: SharedConfig) -> Endpoint:
        """Return the STS endpoint of the profile, or of the default profile. Raises ConfigError."""
        if self._profile is not None and self._plans:
            return self._plans[0].endpoint
        if self._profile is not None:
            raise ConfigError("the profile has no plan")
        section = config.profiles.get("default", Section("default", "default"))
        return endpoint_for(section, config, self._environ, None)


def as_lines(found: list[Check], width: int | None = None) -> list[str]:
    """Return the checks as lines, their hints indented below, wrapped to ``width`` columns (None: not wrapped)."""
    lines = []
    for check in found:
        lines += wrapped(f"{check.level:<6}{inert(check.message, 500)}", width, 6)
        for line in check.details:
            lines += wrapped(f"      {inert(line, 2000)}", width, 8)
        if check.hint is not None:
            lines += wrapped(f"      {inert(check.hint, 500)}", width, 6)
    return lines


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_argument(parser, "the profile to check (default: all that use credproc)", optional=True)
    parser.add_argument("--offline", action="store_true", help="send no request to STS")


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    progress = Progress()
    try:
        found = list(Examination(request, options.command_profile, progress).checks(offline=options.offline))
    finally:
        progress.end()
    return Output(as_lines(found, terminal_columns(1)), 1 if any(check.level == "FAIL" for check in found) else 0)
