"""The offer to keep MFA sessions elsewhere, where the store that the settings choose cannot keep any, and its undo."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from credproc import paths
from credproc.commands.profile_state import ProfileInspector, alias_of
from credproc.commands.setup.store_line import SETTING, with_store, without_store
from credproc.commands.ui.progress import show_now
from credproc.commands.ui.prompt import Prompter
from credproc.config import writer
from credproc.config.lines import ConfigLines
from credproc.errors import ConfigError, quoted
from credproc.plan import Plan
from credproc.request import Request
from credproc.stores import other_stores


def offer_store(inspector: ProfileInspector, request: Request, plans: Iterable[Plan | None], *, yes: bool) -> list[str]:
    """Ask whether to set another store for the users whose MFA sessions cannot be kept; return what was done.

    ``yes``: ask nothing, and return what could be set. Raises CredprocError.
    """
    users = {plan.source.profile: plan for plan in plans if plan is not None and _keeps_sessions(plan)}
    if not users or request.environ.get("CREDPROC_SESSION_STORE"):  # the variable would win over the setting
        return []
    abort_note = "the profile was set up"
    with closing(Prompter("setup", request, "run the command in a terminal", abort_note=abort_note)) as prompter:
        if not yes:
            prompter.open()  # the check of the store is a thread
        return _offer(inspector, request, users.values(), None if yes else prompter)


def _keeps_sessions(plan: Plan) -> bool:
    return plan.mfa is not None and plan.source.profile is not None and plan.mfa.session_store != "none"


def _offer(
    inspector: ProfileInspector, request: Request, plans: Iterable[Plan], prompter: Prompter | None
) -> list[str]:
    """Ask once for all users who lack a store for the same reason, and who would be helped by the same store."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for plan in plans:
        reason = inspector.context(plan, tries_store=True).no_store_reason
        others = [] if plan.mfa is None else other_stores(plan.mfa.session_store)
        if reason is not None and others:
            lacking.setdefault((reason, others[0]), []).append(plan.source.profile or "")
    lines: list[str] = []
    for (reason, store), profiles in lacking.items():
        problem = f"no MFA session can be kept, so each role asks for a code: {reason}"
        line, where = f"{SETTING} = {store}", f"profile{'s' if len(profiles) > 1 else ''} {_listed(profiles)}"
        if prompter is None:
            lines.append(f"{problem}; {line} in {where} would keep it")
            continue
        question = f"write {line} into {where}? [y/N] "
        if prompter.ask(question, lines=[f"credproc: {problem}"]).lower() in ("y", "yes"):
            shown = _write(inspector, request, profiles, store)
            lines += show_now([f"{shown}: written: {line} in {where}"])
    return lines


def _listed(profiles: Sequence[str]) -> str:
    *others, last = map(quoted, profiles)
    return f"{', '.join(others)} and {last}" if others else last


def _write(inspector: ProfileInspector, request: Request, profiles: Sequence[str], store: str) -> str:
    """Write the setting into the profiles; return the name of the file, which setup has just written."""
    path, shown = paths.config_file(request.environ) or "", inspector.config.files[0]

    def edited(text: str) -> str:
        for profile in profiles:
            text = with_store(text, profile, store)
        return text

    writer.edit(path, shown, edited)
    return shown


def undo_store(
    file: ConfigLines, inspector: ProfileInspector, request: Request, undone: Iterable[str], changed: Mapping[int, str]
) -> Mapping[int, str]:
    """Return the lines, by index, without the settings that the offer has written and no other profile needs.

    ``undone`` are the profiles that SDKs will no longer resolve through credproc; of other lines ``changed`` has the
    new text. Where it cannot be told which users a profile leads to, all settings stay.
    """
    undone = set(undone)
    others = [name for name, section in inspector.config.profiles.items() if alias_of(section, request.program)]
    try:
        needed = {inspector.plan(name).source.profile for name in others if name not in undone}
        users = {inspector.plan(name).source.profile for name in undone} - needed
    except ConfigError:
        return {}
    new_lines: dict[int, str] = {}
    for user in sorted(user for user in users if user is not None):
        new_lines |= without_store(file, user, {**changed, **new_lines})
    return new_lines
