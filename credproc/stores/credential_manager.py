"""The Windows Credential Manager, which keyring's backend reaches: each item under a service of its own, in parts.

That backend (keyring.backends.Windows.WinVaultKeyring) keeps one item under the name of a service, and moves it to
another name once a second item is set: of two programs that do so at once, one loses an item. Hence the service of an
item has the item's name in it. A value longer than the Credential Manager takes is stored in parts, NAME/1 and so on.

An item that an earlier credproc has stored under the bare name of its service is found, until the item is set again.
"""

from collections.abc import Callable
from typing import Any

VALUE_LIMIT = 1200  # characters; the Credential Manager takes 2,560 bytes of UTF-16
_PARTS = "credproc-parts:"
_MAX_PARTS = 99


class CredentialManager:
    """What credproc uses of a backend of keyring, with that backend behind it."""

    deletes_missing = True  # where the value is gone, parts of a longer one may still be there

    def __init__(self, backend: Any, limit: int = VALUE_LIMIT) -> None:  # noqa: ANN401 - keyring's backends share no type
        """Take the backend, and the number of characters above which a value is stored in parts."""
        self._limit = limit
        self._own = _Place(backend, lambda service, name: f"{service} {name}")
        self._old = _Place(backend, lambda service, _name: service)

    def get_password(self, service: str, name: str) -> str | None:
        """Return the value, or None."""
        found = self._own.read(service, name)
        return self._old.read(service, name) if found is None else found

    def set_password(self, service: str, name: str, value: str) -> None:
        """Store the value; then remove what is left of a longer one, and of an earlier credproc's."""
        self._own.write(service, name, value, self._limit)
        self._old.remove(service, name)

    def delete_password(self, service: str, name: str) -> None:
        """Delete the value and all of its parts, those too that a longer value has left; it may be missing."""
        self._own.remove(service, name)
        self._old.remove(service, name)


class _Place:
    """Where items are: ``service_of`` makes the backend's service from that of the item and the name of the item."""

    def __init__(self, backend: Any, service_of: Callable[[str, str], str]) -> None:  # noqa: ANN401 - as above
        self._backend = backend
        self._service_of = service_of

    def read(self, service: str, name: str) -> str | None:
        value = self._get(service, name)
        if value is None or not value.startswith(_PARTS):
            return value
        count = value.removeprefix(_PARTS)
        numbers = range(1, min(int(count), _MAX_PARTS) + 1 if count.isdigit() else 1)
        parts = [self._get(service, f"{name}/{number}") for number in numbers]
        found = [part for part in parts if part is not None]
        return "".join(found) if found and len(found) == len(parts) else None

    def write(self, service: str, name: str, value: str, limit: int) -> None:
        parts = [value[start : start + limit] for start in range(0, len(value), limit)] if len(value) > limit else []
        for number, part in enumerate(parts, start=1):
            self._set(service, f"{name}/{number}", part)
        self._set(service, name, f"{_PARTS}{len(parts)}" if parts else value)  # last: it says how many parts count
        self._remove_parts(service, name, len(parts) + 1)

    def remove(self, service: str, name: str) -> None:
        if self._get(service, name) is not None:
            self._backend.delete_password(self._service_of(service, name), name)
        self._remove_parts(service, name, 1)

    def _remove_parts(self, service: str, name: str, first: int) -> None:
        """Remove the parts from this number on, the last one first: an interrupted removal leaves no gap."""
        after = first
        while after <= _MAX_PARTS and self._get(service, f"{name}/{after}") is not None:
            after += 1
        for number in range(after - 1, first - 1, -1):
            part = f"{name}/{number}"
            self._backend.delete_password(self._service_of(service, part), part)

    def _get(self, service: str, name: str) -> str | None:
        value: str | None = self._backend.get_password(self._service_of(service, name), name)
        return value

    def _set(self, service: str, name: str, value: str) -> None:
        self._backend.set_password(self._service_of(service, name), name, value)
