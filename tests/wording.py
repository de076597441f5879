"""What a test asserts of a message whose wording is a transcript's in tests/messages: where, and a few words."""

from tests.posix import native_home


def assert_names(text: str | None, where: str, *words: str) -> None:
    """Fail unless ``text`` begins with ``where`` (a line, a variable; may be empty) and contains each of ``words``."""
    assert text is not None
    assert text.startswith(native_home(where)), text
    assert all(native_home(word) in text for word in words), (text, words)
