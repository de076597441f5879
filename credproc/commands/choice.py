"""The profile of a command for which none is named: chosen from a menu of those that the command means."""

from collections.abc import Iterator
from contextlib import closing

from credproc import terminal
from credproc.commands.arguments import Wanted
from credproc.commands.profile_state import ProfileInspector, profile_names, source_name
from credproc.commands.profile_table import role_name
from credproc.commands.ui.menu import Item
from credproc.commands.ui.menu import choose as choose_item
from credproc.commands.ui.prompt import Prompter, declined
from credproc.config.parser import read
from credproc.credentials import account_in
from credproc.errors import ConfigError, PersonNeededError
from credproc.plan import Plan
from credproc.request import Request


def choose(command: str, request: Request, wanted: Wanted | None) -> str | None:
    """Return the profile that the user chooses for the command; ``request`` names none.

    None: there is none to choose, or the environment has the credentials that are meant, as in a container.
    Raises ConfigError; PersonNeededError if nobody can be asked, or nothing is chosen; SignalError.
    """
    inspector = ProfileInspector(read(request.environ, request.clock()), request)
    if _is_in_environment(inspector):
        return None
    hint = f"write credproc {command} NAME or credproc {command} --profile NAME, or set AWS_PROFILE"
    items = list(_items(inspector, wanted))
    if not items:
        return None
    reason = terminal.noninteractive_reason(request.environ)
    if reason is not None:
        raise PersonNeededError(f"{command}: no profile is named, and {reason}", hint)
    with closing(Prompter(command, request, hint)) as prompter:
        chosen = choose_item(items, prompter, "profile", hint)
    if chosen is None:
        raise declined(f"{command}: no profile was chosen; nothing was changed", hint)
    return chosen


def described(plan: Plan) -> str:
    """Return what a menu says of a profile besides its name: role and account, or where its credentials come from."""
    role = plan.roles[-1] if plan.roles else plan.source.role
    if role is None:
        account = plan.account_id or dict(plan.source.identity).get("sso_account_id")
        words = dict(plan.source.identity).get("sso_role_name", source_name(plan.source.kind))
        return words if account is None else f"{words} in {account}"
    name = role_name(role.role_arn, is_short=True)
    account = account_in(role.role_arn)
    return name if account is None else f"{name} in {account}"


def _items(inspector: ProfileInspector, wanted: Wanted | None) -> Iterator[Item]:
    """Yield the profiles that resolve and are wanted, each under the name that SDKs use."""
    aliases = inspector.sdk_aliases()
    for name in profile_names(inspector.config):
        if aliases.get(name, name) != name:
            continue
        try:
            plan = inspector.plan(name)
        except ConfigError:
            continue
        if wanted is None or wanted(inspector.config.profiles[name], plan):
            yield Item(name, described(plan))


def _is_in_environment(inspector: ProfileInspector) -> bool:
    """Return whether a request that names no profile gets what variables of the environment lead to."""
    try:
        plan = inspector.plan(None)
    except ConfigError:
        return False
    return plan.source.profile is None and plan.source.kind in ("WebIdentity", "EcsContainer")
