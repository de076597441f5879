"""Checks of the CA bundles that settings name: whether other users can change them."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping

from credproc import paths
from credproc.commands.doctor.check import Check, fail
from credproc.config.files import untrusted_file
from credproc.config.shared_config import Section


def untrusted_bundles(sections: Iterable[Section], environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield a failed check for each CA bundle, of the environment or a profile, that other users can change.

    The check of STS reports a bundle that cannot be read.
    """
    named = {name: environ[name] for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE") if environ.get(name)}
    named |= {found.where: found.value for each in sections if (found := each.setting("ca_bundle")) is not None}
    for where, path in named.items():
        for place in (path, os.path.dirname(os.path.abspath(path))):
            shown = paths.shown(place, environ)
            try:
                status = os.stat(place)
            except (OSError, ValueError):
                continue
            if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX and status.st_uid in (0, os.geteuid()):
                continue  # a directory such as /tmp, in which nobody replaces another's file
            if untrusted := untrusted_file(status, shown):
                yield fail(f"{where}: {shown}: {untrusted.reason}, so they can pass for AWS", untrusted.hint)
