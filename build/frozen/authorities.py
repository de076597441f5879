"""The certificate authorities of the frozen program, as OpenSSL finds one by its name: a directory of hashes.

Each certificate of the bundle that boto3 would choose becomes a file that has the hash of its subject as its name and a
number behind it, as ``openssl rehash`` makes it. OpenSSL then reads the one that a connection needs, in 1 ms of
processor time, and not the 120 of the bundle, in 20. Pure Python, as not every machine that freezes has ``openssl``.
"""

import hashlib
import os
import re
import ssl
from collections import Counter
from collections.abc import Iterator

DIRECTORY = "authorities"  # where credproc/aws/authorities.py looks
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\r?\n.*?\n-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _VERSION, _UTF8 = 0x30, 0xA0, 0x0C
# The kinds of text that are compared as UTF-8, without regard to case and blanks (OpenSSL, crypto/x509/x_name.c)
_TEXTS = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


def hashed(bundle: str, directory: str) -> list[tuple[str, str, str]]:
    """Write the bundle's certificates into the directory; return them as entries of PyInstaller's, in their order."""
    with open(bundle, encoding="utf-8") as file:
        certificates = _PEM.findall(file.read())
    if not certificates:
        raise SystemExit(f"there is no certificate in {bundle}")
    os.makedirs(directory, exist_ok=True)
    entries = []
    numbers: Counter[str] = Counter()
    for certificate in dict.fromkeys(certificates):
        name = subject_hash(ssl.PEM_cert_to_DER_cert(certificate))
        path = os.path.join(directory, f"{name}.{numbers[name]}")
        with open(path, "w", encoding="ascii", newline="\n") as file:
            file.write(f"{certificate}\n")
        entries.append((f"{DIRECTORY}/{name}.{numbers[name]}", path, "DATA"))
        numbers[name] += 1
    return entries


def subject_hash(der: bytes) -> str:
    """Return the hash of a certificate's subject, as ``openssl x509 -subject_hash`` prints it (X509_NAME_hash)."""
    _, certificate = next(_values(der))
    fields = list(_values(next(_values(certificate))[1]))
    if fields[0][0] == _VERSION:
        del fields[0]
    _, subject = fields[4]  # behind serial, algorithm, issuer and validity (RFC 5280, 4.1)
    digest = hashlib.sha1(_canonical(subject), usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _canonical(name: bytes) -> bytes:
    """Return the form of a name that is hashed: without its outer frame, all texts in one spelling."""
    sets = []
    for kind, attributes in _values(name):
        found = []
        for _, attribute in _values(attributes):
            (oid_kind, oid), (text_kind, text) = _values(attribute)
            if text_kind in _TEXTS:
                words = text.decode(_TEXTS[text_kind]).split()
                text_kind, text = _UTF8, _lower(" ".join(words)).encode()
            found.append(_framed(_SEQUENCE, _framed(oid_kind, oid) + _framed(text_kind, text)))
        sets.append(_framed(kind, b"".join(sorted(found))))
    return b"".join(sets)


def _lower(text: str) -> str:
    """Return the text with the capitals of ASCII, and no others, in small letters."""
    return "".join(character.lower() if character.isascii() else character for character in text)


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of the values that stand one behind the other (X.690, distinguished encoding)."""
    place = 0
    while place < len(der):
        kind, size, place = der[place], der[place + 1], place + 2
        if size & 0x80:
            digits = size & 0x7F
            size, place = int.from_bytes(der[place : place + digits], "big"), place + digits
        yield kind, der[place : place + size]
        place += size


def _framed(kind: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((kind, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((kind, 0x80 | len(digits))) + digits + content
