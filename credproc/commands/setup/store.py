"""The offer to keep MFA sessions elsewhere, where the store that the settings choose cannot keep any, and its undo."""

from collections.abc import Iterable, Mapping
from contextlib import closing

from credproc import paths
from credproc.commands.profile_state import ProfileInspector, alias_of
from credproc.commands.setup.store_line import SETTING, with_store, without_store
from credproc.commands.ui.prompt import Prompter
from credproc.config import writer
from credproc.config.lines import ConfigLines
from credproc.errors import ConfigError, quoted
from credproc.plan import Plan
from credproc.request import Request
from credproc.stores import other_stores


def offer_store(inspector: ProfileInspector, request: Request, plans: Iterable[Plan | None], *, yes: bool) -> list[str]:
    """Ask whether to set another store, if the first user's MFA sessions cannot be kept; return what was done.

    ``yes``: ask nothing, and return what could be set. Raises CredprocError.
    """
    plan = next((plan for plan in plans if plan is not None and _keeps_sessions(plan)), None)
    if plan is None or request.environ.get("CREDPROC_SESSION_STORE"):  # the variable would win over the setting
        return []
    abort_note = "the profile was set up"
    with closing(Prompter("setup", request, "run the command in a terminal", abort_note=abort_note)) as prompter:
        if not yes:
            prompter.open()  # the check of the store is a thread
        return _offer(inspector, request, plan, None if yes else prompter)


def _keeps_sessions(plan: Plan) -> bool:
    return plan.mfa is not None and plan.source.profile is not None and plan.mfa.session_store != "none"


def _offer(inspector: ProfileInspector, request: Request, plan: Plan, prompter: Prompter | None) -> list[str]:
    reason = inspector.context(plan, tries_store=True).no_store_reason
    others = [] if plan.mfa is None else other_stores(plan.mfa.session_store)
    if reason is None or not others:
        return []
    profile, line = plan.source.profile or "", f"{SETTING} = {others[0]}"
    problem = f"no MFA session can be kept, so each role asks for a code: {reason}"
    if prompter is None:
        return [f"{problem}; {line} in profile {quoted(profile)} would keep it"]
    question = f"write {line} into profile {quoted(profile)}? [y/N] "
    if prompter.ask(question, lines=[f"credproc: {problem}"]).lower() not in ("y", "yes"):
        return []
    path, shown = paths.config_file(request.environ) or "", inspector.config.files[0]  # which setup has just written
    writer.edit(path, shown, lambda text: with_store(text, profile, others[0]))
    return [f"{shown}: written: {line} in profile {quoted(profile)}"]


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
