"""The AWS Query protocol: an operation and its parameters as the form that is sent.

Smithy, "AWS Query protocol", as botocore's serializer writes it: the order is that of the parameters, lists are
``Name.member.1``, structures ``Name.Key``, an empty list is an empty value.
"""

from collections.abc import Iterator, Mapping, Sequence

from credproc.aws.message import UnsendableError

CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ESCAPED = tuple(chr(byte) if byte in _PLAIN else "+" if byte == 0x20 else f"%{byte:02X}" for byte in range(256))

# What stands for a value: text, a number, a list of values, or a structure
Value = object


def form(action: str, version: str, parameters: Mapping[str, Value]) -> bytes:
    """Return the body of the call. Raises UnsendableError if a value holds what UTF-8 cannot say."""
    fields = [("Action", action), ("Version", version)]
    for name, value in parameters.items():
        fields.extend(_flat(name, value))
    return "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in fields).encode()


def _flat(name: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{name}.{key}", item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if not value:
            yield name, ""
        for number, item in enumerate(value, start=1):
            yield from _flat(f"{name}.member.{number}", item)
    else:
        yield name, str(value)


def _escaped(text: str) -> str:
    try:
        return "".join([_ESCAPED[byte] for byte in text.encode()])
    except UnicodeEncodeError:
        raise UnsendableError("no UTF-8") from None
