"""credproc explain: how a profile is resolved, step by step, with the file and line of each setting that is used."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc.commands.arguments import add_profile_choice
from credproc.commands.plan_text import (
    MAX_VALUE,
    NOT_SHOWN,
    StepText,
    asked,
    remarks,
    setting_shown,
    step_texts,
    store_name,
)
from credproc.commands.profile_state import Cached, ProfileInspector, alias_of
from credproc.commands.ui.output import Document, Output
from credproc.commands.ui.table import align_rows
from credproc.commands.ui.times import format_until, iso_time
from credproc.config.parser import read
from credproc.config.settings import StoreKind
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import ConfigError, for_shell, inert, quoted
from credproc.glyphs import terminal_columns, wrapped
from credproc.plan.source import Source
from credproc.process.child_environment import is_secret
from credproc.request import Request
from credproc.sources.sign_in import is_signed_in

GROUP = "set up"
HELP = "show how credproc resolves a profile, step by step"
DESCRIPTION = (
    "Show how credproc resolves a profile: the settings that it uses, the calls that it makes, what is cached, and what"
    " it will ask for. Uses no network and shows no secret."
)


class UsedSetting(NamedTuple):
    """A setting or environment variable that the plan used; ``where`` is its file and line."""

    name: str
    value: str
    where: str


class Explanation(NamedTuple):
    """What the command prints about a profile, as text or as JSON."""

    profile: str | None
    alias_of: str | None
    settings: list[UsedSetting]
    steps: list[StepText]
    cached: Cached | None
    signed_in_until: int | None  # epoch seconds, the end of the MFA session
    session_store: StoreKind | None  # the store of the MFA session, if there is one
    asked: str
    remarks: list[str]


class _RecordingSection(Section):
    """A section that records which of its settings were read and are set."""

    def __init__(self, section: Section, used: dict[tuple[str, str], UsedSetting]) -> None:
        super().__init__(section.name, section.where)
        self.update(section)
        self.error = section.error
        self._used = used

    def setting(self, key: str) -> Setting | None:
        found = super().setting(key)
        if found is not None:
            name = f"credproc_{key}" if f"credproc_{key}" in self else key
            self._used[found.where, name] = UsedSetting(name, setting_shown(key, found.value), found.where)
        return found


class _RecordingVariables(Mapping[str, str]):
    """An environment that records which of its variables were read and are not empty."""

    def __init__(self, environ: Mapping[str, str], used: dict[tuple[str, str], UsedSetting]) -> None:
        self._environ = environ
        self._used = used

    def __getitem__(self, name: str) -> str:
        value = self._environ[name]
        if value:
            shown = NOT_SHOWN if is_secret(name) else inert(value, MAX_VALUE)
            self._used["", name] = UsedSetting(name, shown, "the environment")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def explain(config: SharedConfig, request: Request, *, tries_store: bool) -> Explanation:
    """Explain the request's profile; ``tries_store``: also check whether an MFA session could be stored.

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
    alias = None if section is None or plan.profile == section.name else alias_of(section, request.program)
    context = inspector.context(plan, tries_store=tries_store)
    return Explanation(
        profile=request.profile,
        alias_of=alias,
        settings=list(used.values()),
        steps=step_texts(plan, context),
        cached=inspector.cached(request.profile, plan),
        signed_in_until=context.signed_in_until,
        session_store=context.session_store if context.signed_in_until is not None else None,
        asked=asked(plan, context),
        remarks=[*remarks(plan, context), *sign_out_remarks(plan.source, request)],
    )


def sign_out_remarks(source: Source, request: Request) -> Iterator[str]:
    """Yield that the user is not signed in where the source wants it, before a call has to fail."""
    if not is_signed_in(source, request.environ, request.clock()):
        option = "" if request.profile is None else f" {for_shell(request.profile)}"
        yield f"signed out: credproc login{option} signs in, with the AWS CLI"


def as_lines(explanation: Explanation, now: float, width: int | None = None) -> list[str]:
    """Return the explanation as lines, wrapped to ``width`` columns (None: never); ``now`` is in epoch seconds."""
    lines = ["no profile named" if explanation.profile is None else f"profile {quoted(explanation.profile)}"]
    if explanation.alias_of is not None:
        lines[0] += f", which is profile {quoted(explanation.alias_of)} through credproc"
    lines += ["", "settings used:"]
    used = [(setting.where, f"{setting.name} = {setting.value}") for setting in explanation.settings]
    lines += [f"  {line}" for line in align_rows(used)] or ["  none"]
    lines += ["", "steps:"]
    for number, step in enumerate(explanation.steps, start=1):
        lines += wrapped(f"  {number}. {step.words}", width, 5)
        lines += wrapped(f"     from {step.where}", width, 8)
        if step.operation is not None:
            lines += wrapped(f"     {step.operation} at {step.endpoint}, signed for {step.region}", width, 8)
    lines.append("")
    for line in _cache_lines(explanation, now):
        lines += wrapped(line, width, 2)
    return lines


def _cache_lines(explanation: Explanation, now: float) -> Iterator[str]:
    if explanation.cached is None:
        yield "cached: nothing"
    else:
        lasting = format_until(explanation.cached.expiration, now)
        yield f"cached: credentials {lasting}; credproc makes the steps when it renews them"
    if explanation.signed_in_until is not None:
        store = store_name(explanation.session_store or "none")
        yield f"signed in: {format_until(explanation.signed_in_until, now)}, with an MFA session in {store}"
    yield f"asks for: {explanation.asked}"
    yield from (f"remark: {remark}" for remark in explanation.remarks)


def as_json(explanation: Explanation) -> str:
    """Return the explanation as JSON."""
    cached = explanation.cached
    fields = explanation._asdict() | {
        "settings": [setting._asdict() for setting in explanation.settings],
        "steps": [step._asdict() for step in explanation.steps],
        "cached": None if cached is None else {name: iso_time(time) for name, time in cached._asdict().items()},
        "signed_in_until": iso_time(explanation.signed_in_until),
    }
    return json.dumps(fields, indent=2) + "\n"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_choice(parser, "the profile")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, request: Request) -> Output | Document:
    """Run the command."""
    config = read(request.environ)
    try:
        explanation = explain(config, request, tries_store=True)
    except ConfigError as error:
        error.hint = error.hint or "run credproc list to see the profiles"
        raise
    if options.json:
        return Document(as_json(explanation))
    return Output(as_lines(explanation, request.clock(), terminal_columns(1)))
