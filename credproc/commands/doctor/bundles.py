"""Checks of the CA bundles that settings name: whether other users can change them."""

from collections.abc import Iterable, Iterator, Mapping

from credproc import paths
from credproc.commands.doctor.check import Check, fail, from_error
from credproc.config.shared_config import Section
from credproc.errors import ConfigError
from credproc.trust import untrusted_place


def untrusted_bundles(sections: Iterable[Section], environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield a failed check for each CA bundle, of the environment or a profile, that other users can change.

    The check of STS reports a bundle that cannot be read.
    """
    named = {name: environ[name] for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE") if environ.get(name)}
    for section in sections:
        try:
            found = section.setting("ca_bundle")
        except ConfigError as error:
            yield from_error(error)
        else:
            named |= {} if found is None else {found.where: found.value}
    for where, path in named.items():
        if untrusted := untrusted_place(path, sticky=True):
            shown = paths.shown(untrusted.path, environ)
            yield fail(f"{where}: {shown}: {untrusted.reason}, so they can pass for AWS", untrusted.hint)
