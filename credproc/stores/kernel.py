"""The Linux kernel's keyring of this user as a store: in memory, without a desktop, and gone after a reboot.

The kernel forgets a value when the session in it ends. What lies here is half of a session; the other half is in its
index file (``mfa_sessions``).
"""

import errno
from collections.abc import Iterable

from credproc.config.settings import StoreKind
from credproc.errors import SessionStoreError
from credproc.stores import keyctl

_PREFIX = "credproc MFA session "
_TRIAL_BYTES = 2048  # a session has some 1,000
# Windows and macOS lack some
_FORGOTTEN = tuple(getattr(errno, name, -1) for name in ("ENOKEY", "EKEYEXPIRED", "EKEYREVOKED"))
_FULL = getattr(errno, "EDQUOT", -1)


class KernelStore:
    """Store values in the kernel's keyring of this user."""

    kind: StoreKind = "kernel"

    def unavailable_reason(self) -> str | None:
        """Return why nothing can be stored here, or None; this stores a value on trial, where nobody finds it."""
        try:
            keyctl.try_out(f"{_PREFIX}trial", bytes(_TRIAL_BYTES))
        except OSError as error:
            return _described(error)
        return None

    def get(self, name: str) -> str | None:
        """Return the value, or None if the kernel has none, or has forgotten it. Raises SessionStoreError."""
        try:
            return keyctl.read(keyctl.find(_PREFIX + name)).decode("ascii", "replace")
        except OSError as error:
            if error.errno in _FORGOTTEN:
                return None
            raise SessionStoreError(_described(error)) from None

    def set(self, name: str, value: str, seconds: int) -> None:
        """Store the value for so many seconds. Raises SessionStoreError."""
        try:
            keyctl.put(_PREFIX + name, value.encode("ascii"), max(1, seconds))
        except OSError as error:
            raise SessionStoreError(_described(error)) from None

    def delete(self, name: str) -> None:
        """Let the kernel forget the value. Raises SessionStoreError."""
        try:
            keyctl.revoke(keyctl.find(_PREFIX + name))
        except OSError as error:
            if error.errno not in _FORGOTTEN:
                raise SessionStoreError(_described(error)) from None

    def has_forgotten(self, name: str) -> bool:
        """Return whether the kernel says that there is no such value; the value is not read."""
        try:
            keyctl.find(_PREFIX + name)
        except OSError as error:
            return error.errno in _FORGOTTEN
        return False

    def names(self, candidates: Iterable[str]) -> list[str]:  # noqa: ARG002 - Store's signature
        """Return the names of all values; none where the kernel's keyring cannot be used."""
        try:
            numbers = memoryview(keyctl.read(keyctl.USER_KEYRING)).cast("i")
        except OSError:
            return []
        return [text.removeprefix(_PREFIX) for text in map(_description, numbers) if text.startswith(_PREFIX)]


def _description(key: int) -> str:
    """Return the key's description; nothing of a key that is not this user's, or no longer there."""
    try:
        return keyctl.describe(key)
    except OSError:
        return ""


def _described(error: OSError) -> str:
    """Return why a call failed, as a sentence."""
    if error.errno == _FULL:
        return "the kernel's keyring of this user is full"
    if error.errno == errno.ENOSYS and not keyctl.are_known():
        return "this system has no kernel keyring that credproc knows"
    if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        return "the kernel's keyring is forbidden here"
    return f"the kernel's keyring failed: {(error.strerror or 'error').lower()}"
