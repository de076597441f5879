"""credproc explain: a profile's plan in words, with the line of every setting that took part; from files alone."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc.commands.arguments import add_name
from credproc.commands.plan_text import SHOWN, StepText, asked, remarks, setting_shown, step_texts, store_shown
from credproc.commands.profile_state import Cached, ProfileInspector, aliased
from credproc.commands.ui.output import Said
from credproc.commands.ui.times import until_shown
from credproc.commands.ui.wrap import columns, wrapped
from credproc.config.parser import read
from credproc.config.settings import SessionStore
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import ConfigError, inert, quoted
from credproc.request import Request

GROUP = "set up"
HELP = "show how a profile is resolved, step by step"
DESCRIPTION = (
    "Say in words how a profile is resolved: which settings take part, which calls are made where, what is cached, and"
    " what is asked. No network, no secret."
)


class UsedSetting(NamedTuple):
    """A setting or variable that took part."""

    name: str
    value: str
    where: str


class Explained(NamedTuple):
    """All that is said of a profile; words and JSON are made of it."""

    profile: str | None
    alias_of: str | None
    settings: list[UsedSetting]
    steps: list[StepText]
    cached: Cached | None
    signed_in_until: int | None  # epoch seconds
    session_store: SessionStore | None  # where the session is
    asked: str
    remarks: list[str]


class _RecordingSection(Section):
    """A section that notes which of its settings have been looked at and were there."""

    def __init__(self, section: Section, used: dict[tuple[str, str], UsedSetting]) -> None:
        super().__init__(section.name, section.where)
        self.update(section)
        self._used = used

    def setting(self, key: str) -> Setting | None:
        found = super().setting(key)
        if found is not None:
            name = f"credproc_{key}" if f"credproc_{key}" in self else key
            self._used[found.where, name] = UsedSetting(name, setting_shown(key, found.value), found.where)
        return found


class _RecordingVariables(Mapping[str, str]):
    """The environment, recording which variables have been looked at and were there."""

    def __init__(self, environ: Mapping[str, str], used: dict[tuple[str, str], UsedSetting]) -> None:
        self._environ = environ
        self._used = used

    def __getitem__(self, name: str) -> str:
        value = self._environ[name]
        if value:
            self._used["", name] = UsedSetting(name, inert(value, SHOWN), "the environment")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def explained(config: SharedConfig, request: Request, *, tries_store: bool) -> Explained:
    """Return what there is to say of the request's profile; ``tries_store``: whether a session could be kept too.

    Raises ConfigError.
    """
    used: dict[tuple[str, str], UsedSetting] = {}
    recording = config._replace(
        profiles={name: _RecordingSection(section, used) for name, section in config.profiles.items()},
        sso_sessions={name: _RecordingSection(section, used) for name, section in config.sso_sessions.items()},
        services={name: _RecordingSection(section, used) for name, section in config.services.items()},
    )
    inspector = ProfileInspector(recording, request)
    plan = inspector.plan(request.profile, _RecordingVariables(request.environ, used))
    section = config.profiles.get(request.profile or "default")
    alias = None if section is None or plan.profile == section.name else aliased(section, request.program)
    standing = inspector.standing(plan, tries_store=tries_store)
    return Explained(
        profile=request.profile,
        alias_of=alias,
        settings=list(used.values()),
        steps=step_texts(plan, standing, inspector.now),
        cached=inspector.cached(request.profile, plan),
        signed_in_until=standing.signed_in_until,
        session_store=standing.session_store if standing.signed_in_until is not None else None,
        asked=asked(plan, standing),
        remarks=list(remarks(plan, standing)),
    )


def words(about: Explained, now: float, width: int | None = None) -> str:
    """Return it as lines for a person; ``now`` is in epoch seconds, ``width`` the columns of the terminal."""
    lines = ["no profile is named" if about.profile is None else f"profile {quoted(about.profile)}"]
    if about.alias_of is not None:
        lines[0] += f", which is profile {quoted(about.alias_of)} through credproc"
    lines += ["", "settings that take part:"]
    widest = max((len(one.where) for one in about.settings), default=0)
    lines += [f"  {one.where.ljust(widest)}  {one.name} = {one.value}" for one in about.settings] or ["  none"]
    lines += ["", "steps:"]
    for number, step in enumerate(about.steps, start=1):
        lines.append(wrapped(f"  {number}. {step.words}", width, 5))
        lines.append(wrapped(f"     by {inert(step.where)}", width, 8))
        if step.operation is not None:
            lines.append(wrapped(f"     {step.operation} at {step.endpoint}, signed for {step.region}", width, 8))
    lines += ["", *(wrapped(line, width, 2) for line in _standing(about, now))]
    return "\n".join(lines) + "\n"


def _standing(about: Explained, now: float) -> Iterator[str]:
    if about.cached is None:
        yield "cached: nothing"
    else:
        yield f"cached: credentials {until_shown(about.cached.expiration, now)}; until a refresh no step is made"
    if about.signed_in_until is not None:
        store = store_shown(about.session_store or "none")
        yield f"signed in: {until_shown(about.signed_in_until, now)}, with the session in {store}"
    yield f"asked: {about.asked}"
    yield from (f"remark: {remark}" for remark in about.remarks)


def as_json(about: Explained) -> str:
    """Return it as JSON."""
    fields = about._asdict() | {
        "settings": [one._asdict() for one in about.settings],
        "steps": [one._asdict() for one in about.steps],
        "cached": None if about.cached is None else about.cached._asdict(),
    }
    return json.dumps(fields, indent=2) + "\n"


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_name(one, "the profile (default: AWS_PROFILE)", optional=True)
    one.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    config = read(request.environ)
    try:
        about = explained(config, request, tries_store=True)
    except ConfigError as error:
        error.hint = error.hint or "credproc list shows the profiles"
        raise
    return Said(as_json(about) if options.json else words(about, request.clock(), columns(1)))
