"""credproc keys list: the profiles whose access key is in the keyring, read from files."""

import json

from credproc.commands.ui.output import Document, Output
from credproc.commands.ui.table import align_rows
from credproc.config.parser import read
from credproc.locking.directory import own_directory
from credproc.plan.source import keys_in_keyring
from credproc.request import Request
from credproc.stores import access_keys


def list_keys(request: Request, *, as_json: bool) -> Output | Document:
    """Return profiles and their access key ids, sorted by profile, as text or JSON. Raises ConfigError."""
    directory = own_directory(request.environ)
    found = [
        (section.name, setting.value, access_keys.is_pending(directory, setting.value))
        for section in read(request.environ).profiles.values()
        if (setting := keys_in_keyring(section)) is not None
    ]
    found.sort()
    if as_json:
        fields = ("profile", "access_key_id", "pending")
        rows = [dict(zip(fields, row, strict=True)) for row in found]
        return Document(json.dumps({"keys": rows}, indent=2, sort_keys=True) + "\n")
    if not found:
        return Output(["no profile has its access key in the keyring"])
    unfinished = "rotation unfinished: run credproc keys rotate"
    cells = [(profile, access_key_id, unfinished if pending else "") for profile, access_key_id, pending in found]
    return Output(align_rows(cells))
