"""credproc doctor: what is well and what is not, and what to do about it; the checks are in ``checks``."""

import argparse
from collections.abc import Iterator

from credproc import paths, terminal
from credproc.commands.arguments import add_name
from credproc.commands.doctor import checks
from credproc.commands.doctor.checks import Check
from credproc.commands.doctor.helper_lines import Line, lines
from credproc.commands.ui.output import Said
from credproc.commands.ui.progress import Progress
from credproc.commands.ui.wrap import columns, wrapped
from credproc.config.parser import read
from credproc.config.settings import SESSION_STORES, session_store_named
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError, CredprocError, inert
from credproc.files import open_directory
from credproc.plan import Plan, plan_for
from credproc.plan.endpoint import Endpoint, endpoint_for
from credproc.request import Request
from credproc.stores import store_for

_STS_SECONDS = 8  # as long as one connection and one answer may take together

GROUP = "if wrong"
HELP = "check the set-up, say what to do, show the last failures"
DESCRIPTION = (
    "Check files, settings, environment, cache, keyring, terminal, STS and clock, and show the last failures, which"
    " some SDKs keep to themselves. Exit status 1 if something is wrong."
)


class Examined:
    """The examination of one set-up: of one profile, or of all that go through credproc."""

    def __init__(self, request: Request, profile: str | None, progress: Progress) -> None:
        """Take the profile that is looked at, or None: all."""
        self._request = request
        self._environ = request.environ
        self._profile = profile
        self._progress = progress
        self._config: SharedConfig | None = None
        self._plans: list[Plan] = []

    def checks(self, *, offline: bool) -> Iterator[Check]:
        """Yield what is found, in the order in which a request goes; ``offline``: without asking STS."""
        yield checks.aws_file(paths.config_file(self._environ), self._environ, secret=False)
        yield checks.aws_file(paths.credentials_file(self._environ), self._environ, secret=True)
        try:
            self._config = read(self._environ)
        except ConfigError as error:
            yield checks.from_error(error)
        else:
            yield from self._settings(self._config)
        yield from checks.variables(self._environ, self._plans)
        yield checks.cache_directory(self._environ)
        yield checks.terminal(terminal.unavailable_reason(), self._environ)
        yield self._session_store()
        if not offline and self._config is not None:
            yield from self._sts(self._config)
        yield checks.last_failures(self._environ)

    def _settings(self, config: SharedConfig) -> Iterator[Check]:
        for remark in config.remarks:
            yield checks.warn(f"{remark}; other readers may read it differently", "remove it, or correct it")
        found = [
            line
            for line in lines(config, self._environ, self._request.program)
            if self._profile in (None, line.section.name)
        ]
        for line in found:
            yield from checks.beside(line.section)
            yield from checks.helper_line(line, self._request.program)
        if self._profile is not None:
            yield from self._followed(config, self._profile, quiet=False)
            return
        yield from self._all_followed(config, found)

    def _all_followed(self, config: SharedConfig, found: list[Line]) -> Iterator[Check]:
        if not found:
            yield checks.warn(
                "no profile has a credential_process line that starts credproc",
                "credproc doctor NAME looks at any profile",
            )
            return
        count = f"{len(found)} profile{'s go' if len(found) > 1 else ' goes'}"
        yield checks.ok(f"{count} through credproc")
        for line in found:
            yield from self._followed(config, line.section.name, quiet=True)

    def _followed(self, config: SharedConfig, profile: str, *, quiet: bool) -> Iterator[Check]:
        """Yield whether the profile's settings lead to credentials; ``quiet``: only if they do not."""
        try:
            plan = plan_for(config, self._request._replace(profile=profile))
        except ConfigError as error:
            yield checks.planned(profile, error)
            return
        self._plans.append(plan)
        if not quiet:
            yield checks.planned(profile, None)
        yield from checks.without_iam(plan, f"profile {inert(profile, 80)!a}")

    def _session_store(self) -> Check:
        self._progress.say("trying the keyring ...")
        chosen = [plan.mfa.session_store for plan in self._plans if plan.mfa is not None]
        variable = session_store_named(self._environ.get("CREDPROC_SESSION_STORE", ""))
        kind = variable or (chosen[0] if chosen else SESSION_STORES[0])
        directory = open_directory(paths.cache_directory(self._environ)) if kind == "file" else None
        # Without a directory the keyring is asked though it did not answer a minute ago: that is what one wants to know
        can_unlock = terminal.noninteractive_reason(self._environ) is None
        unlocking = (lambda: self._progress.say("waiting for the keyring to be unlocked ...")) if can_unlock else None
        return checks.session_store(store_for(kind, directory, self._environ, unlocking))

    def _sts(self, config: SharedConfig) -> Iterator[Check]:
        try:
            endpoint = self._endpoint(config)
        except ConfigError as error:
            if self._profile is None:  # else it has been said of the profile
                yield checks.from_error(error)
            return
        self._progress.say(f"asking {checks.asked(endpoint)} ...")
        from credproc.aws import http, proxies  # noqa: PLC0415 - ssl, which --offline does without
        from credproc.aws.client import Settings  # noqa: PLC0415
        from credproc.plan.url import Url  # noqa: PLC0415

        profile = self._plans[0].profile if self._profile and self._plans else None
        url = Url.of(endpoint.address)
        try:
            settings = Settings.of(config, profile, self._environ, _STS_SECONDS)
            answer, seconds = http.get(url, "GET", settings)
            proxy = proxies.proxy_for(url.scheme, url.host_header)
        except CredprocError as error:
            yield checks.from_error(error, "STS: ")
            return
        through = None if proxy is None else proxies.shown(proxy)
        yield checks.reached(url.host_header, answer.status, seconds, through)
        yield checks.clock(answer.headers.get("date"), self._request.clock())

    def _endpoint(self, config: SharedConfig) -> Endpoint:
        """Return the endpoint of the profile that is looked at, or of the environment and the default profile."""
        if self._profile is not None and self._plans:
            return self._plans[0].endpoint
        if self._profile is not None:
            raise ConfigError("there is no plan")
        section = config.profiles.get("default", Section("default", "default"))
        return endpoint_for(section, config, self._environ, None)


def shown(found: list[Check], width: int | None = None) -> str:
    """Return the checks in words: a line each, what to do indented below it; ``width``: the terminal's columns."""
    lines = []
    for check in found:
        lines.append(wrapped(f"{check.level:<6}{inert(check.what, 500)}", width, 6))
        lines += [wrapped(f"      {inert(line, 2000)}", width, 8) for line in check.more]
        if check.hint is not None:
            lines.append(wrapped(f"      {inert(check.hint, 500)}", width, 6))
    return "".join(f"{line}\n" for line in lines)


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_name(one, "the profile to look at (default: all that go through credproc)", optional=True)
    one.add_argument("--offline", action="store_true", help="without asking STS")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    progress = Progress()
    try:
        found = list(Examined(request, options.command_profile, progress).checks(offline=options.offline))
    finally:
        progress.end()
    return Said(shown(found, columns(1)), 1 if any(check.level == "FAIL" for check in found) else 0)
