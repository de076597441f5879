"""credproc keys list: which profiles have their keys in the keyring; from files alone."""

import json

from credproc.commands.ui.table import aligned
from credproc.config.parser import read
from credproc.errors import inert
from credproc.locking.directory import own_directory
from credproc.plan.source import keys_in_keyring
from credproc.request import Request
from credproc.stores import access_keys


def keys(request: Request, *, as_json: bool) -> str:
    """Return the profiles whose keys are in the keyring, by name, in words or as JSON."""
    directory = own_directory(request.environ)
    found = [
        (section.name, setting.value, access_keys.is_pending(directory, setting.value))
        for section in read(request.environ).profiles.values()
        if (setting := keys_in_keyring(section)) is not None
    ]
    found.sort()
    if as_json:
        fields = ("profile", "access_key_id", "pending")
        listed = [dict(zip(fields, one, strict=True)) for one in found]
        return json.dumps({"keys": listed}, indent=2, sort_keys=True) + "\n"
    if not found:
        return "no profile has its keys in the keyring\n"
    begun = "rotation begun: credproc keys rotate ends it"
    rows = [
        (inert(profile), inert(access_key_id), begun if pending else "") for profile, access_key_id, pending in found
    ]
    return "".join(f"{line}\n" for line in aligned(rows))
