"""The XML that a service of the Query protocol answers with, read without trust in it.

A document type is refused where it begins: what it declares (entities that grow, or that name files) is not read.
"""

from xml.parsers import expat

from credproc import limits
from credproc.aws.message import Response

_DEPTH = 32


class MalformedAnswerError(ValueError):
    """What came is no answer of such a service; ``response`` is what it came in, where that is known."""

    response: Response | None = None


class Element:
    """One element: its text, and those within it."""

    __slots__ = ("children", "name", "pieces")

    def __init__(self, name: str) -> None:
        """Take the name, without its namespace."""
        self.name = name
        self.pieces: list[str] = []  # of its text, as they came
        self.children: list[Element] = []

    def find(self, *path: str) -> "Element | None":
        """Return the first element that the names lead to, or None."""
        found: Element | None = self
        for name in path:
            found = None if found is None else next((each for each in found.children if each.name == name), None)
        return found

    def all(self, *path: str) -> "list[Element]":
        """Return those of the last name within the first element that the names before it lead to."""
        parent = self.find(*path[:-1])
        return [] if parent is None else [each for each in parent.children if each.name == path[-1]]

    def text(self, *path: str) -> str | None:
        """Return the text of the element that the names lead to, or None where there is none, or it has no text."""
        found = self.find(*path)
        return None if found is None else "".join(found.pieces) or None


def parse(body: bytes) -> Element:
    """Return the root of an answer in UTF-8. Raises MalformedAnswerError."""
    if len(body) > limits.ANSWER:
        raise MalformedAnswerError("too long")
    document = Element("")
    open_elements = [document]

    def start(name: str, _attributes: dict[str, str]) -> None:
        if len(open_elements) > _DEPTH:
            raise MalformedAnswerError("too deep")
        element = Element(name.rpartition(":")[2])
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def text(data: str) -> None:
        open_elements[-1].pieces.append(data)

    def refuse(*_: object) -> None:
        raise MalformedAnswerError("a document type")

    parser = expat.ParserCreate("utf-8")  # whatever it says of itself
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: open_elements.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise MalformedAnswerError("no XML") from None
    return document.children[0]


class RefusedError(Exception):
    """The service's no: its code, its own words, and the response that they came in."""

    def __init__(self, code: str, message: str, response: Response) -> None:
        """Take what the service says; either text may be empty."""
        super().__init__(code)
        self.code = code
        self.message = message
        self.response = response


def read(response: Response) -> Element:
    """Return the root of a response's answer. Raises RefusedError, or MalformedAnswerError where there is none."""
    try:
        root = parse(response.body)
    except MalformedAnswerError as error:
        if response.status < 500:
            error.response = response
            raise
        # what stands before the service has failed, and says so in its own way
        raise RefusedError(str(response.status), response.reason, response) from None
    if 200 <= response.status < 300:
        return root
    found = root.find("Error") or root.find("Errors", "Error")
    code = "" if found is None else found.text("Code") or ""
    if not code and response.status >= 500:
        raise RefusedError(str(response.status), response.reason, response)
    raise RefusedError(code, "" if found is None else found.text("Message") or "", response)
