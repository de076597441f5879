"""Docstrings of generated methods: empty.

Botocore's own module imports 16 others that would write the text when somebody asks for it.
"""


class _Docstring(str):
    """Takes what botocore hands over, and says nothing."""

    __slots__ = ()

    def __new__(cls, *_: object, **__: object) -> "_Docstring":  # noqa: PYI034 - typing.Self would be imported
        return super().__new__(cls)


class ClientMethodDocstring(_Docstring):
    """Of a client's method."""


class WaiterDocstring(_Docstring):
    """Of a waiter."""


class PaginatorDocstring(_Docstring):
    """Of a paginator."""
