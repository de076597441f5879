"""``[default]`` in the AWS files: SDKs look there before they ask a container's endpoint."""

from credproc.config.settings import BEFORE_PROCESS
from credproc.config.shared_config import SharedConfig
from credproc.errors import ConfigError

# What makes an SDK get credentials from a profile, or try to (CONTRACT.md, 1.6)
_YIELDING = (*BEFORE_PROCESS, "credential_process")


def check_default_profile(config: SharedConfig) -> None:
    """Raise ConfigError, with file and line, if ``[default]`` leads to credentials: a command would use those."""
    section = config.profiles.get("default")
    if section is None:
        return
    if section.error is not None:
        raise section.error
    for name in _YIELDING:
        found = section.get(name)
        if found is not None:
            raise ConfigError(
                f"{found.where}: {name} in [default] comes before the credentials that --serve offers, in every SDK",
                "give that profile another name than default, or run the command without --serve",
            )
