"""Whether this process can show a window, as far as its environment says."""

import sys
from collections.abc import Mapping

_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


def has_display(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Return whether windows have a place: an X or Wayland display is named, or the platform always has one."""
    return platform in ("darwin", "win32") or any(environ.get(name) for name in _VARIABLES)
