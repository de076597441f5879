"""Whose certificates are trusted: by boto3's rules, and named where they cannot be had."""

import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.httpsession import DEFAULT_CA_BUNDLE, get_cert_path

from credproc.aws import authorities
from credproc.aws.authorities import HASHED, Authorities, authorities_for, default_path
from credproc.aws.direct import Direct
from credproc.aws.message import Request, TransportError
from credproc.aws.transport import Timeouts
from credproc.config.shared_config import Section, Setting
from credproc.errors import ConfigError
from credproc.plan.url import Url
from credproc.trust import UntrustedFile
from tests.built import authorities as frozen_authorities
from tests.loopback import Ca, Server, saying, tls

BOTO3S = get_cert_path(verify=True) or ""


def _section(value: str) -> Section:
    section = Section("p", "~/.aws/config:1")
    section["ca_bundle"] = Setting(value, "~/.aws/config:2")
    return section


def test_the_bundle_is_the_one_that_boto3_would_choose() -> None:
    assert default_path() == BOTO3S
    assert authorities_for(None, {}) == Authorities(default_path(), None)


def test_without_certifi_it_is_botocores_own(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = authorities._beside
    monkeypatch.setattr(authorities, "_beside", lambda package: None if package == "certifi" else beside(package))
    assert default_path() == DEFAULT_CA_BUNDLE


def test_a_certifi_without_a_bundle_of_its_own_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Distributions let it lead to the system's certificates."""
    (tmp_path / "certifi").mkdir()
    (tmp_path / "certifi" / "__init__.py").write_text("def where():\n    return '/etc/ssl/system.pem'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "certifi", raising=False)
    assert default_path() == "/etc/ssl/system.pem"


def test_botocore_is_not_imported_for_it() -> None:
    assert "botocore" not in Path(authorities.__file__).read_text().partition("from credproc")[0].split('"""')[2]


BOTH = {"AWS_CA_BUNDLE": "/a.pem", "REQUESTS_CA_BUNDLE": "/r.pem", "SSL_CERT_FILE": "/s.pem"}


@pytest.mark.parametrize(
    ("environ", "profile", "found"),
    [
        (BOTH, "/p.pem", Authorities("/a.pem", "AWS_CA_BUNDLE")),
        ({"REQUESTS_CA_BUNDLE": "/r.pem"}, "/p.pem", Authorities("/p.pem", "~/.aws/config:2")),
        ({"REQUESTS_CA_BUNDLE": "/r.pem"}, None, Authorities("/r.pem", "REQUESTS_CA_BUNDLE")),
        ({"SSL_CERT_FILE": "/s.pem", "SSL_CERT_DIR": "/s"}, None, None),
    ],
)
def test_a_bundle_is_named_by_variable_or_profile_in_botocores_order(
    environ: dict[str, str], profile: str | None, found: Authorities | None
) -> None:
    section = None if profile is None else _section(profile)
    assert authorities_for(section, environ) == (found or Authorities(default_path()))


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_bundle_is_an_error_as_with_boto3(value: str) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        with pytest.raises(ConfigError, match=f"{name}: names no CA bundle: it is empty"):
            authorities_for(None, {name: value})
    with pytest.raises(ConfigError, match="config:2: names no CA bundle"):
        authorities_for(_section(value), {})


def _load_error(path: str, where: str | None = "AWS_CA_BUNDLE") -> str:
    with pytest.raises(ConfigError) as failure:
        Authorities(path, where).load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert failure.value.hint
    return str(failure.value)


def test_a_bundle_of_a_file_that_others_can_change_is_refused_and_none_is_taken_in_its_place() -> None:
    section = _section("/p.pem")
    section["ca_bundle"] = section["ca_bundle"]._replace(untrusted=UntrustedFile("belongs to another user", "chown"))
    with pytest.raises(ConfigError, match=r"~/.aws/config:2: ca_bundle is refused: the file belongs to another user"):
        authorities_for(section, {"REQUESTS_CA_BUNDLE": "/r.pem"})
    assert authorities_for(section, BOTH).path == "/a.pem"


def test_a_bundle_that_cannot_be_read_is_named_with_its_path_and_who_names_it(tmp_path: Path) -> None:
    missing, broken, empty = tmp_path / "missing.pem", tmp_path / "broken.pem", tmp_path / "empty.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    empty.write_text("no certificate\n")
    assert _load_error(str(missing)) == f"AWS_CA_BUNDLE: {missing}: no such file or directory"
    assert _load_error(str(missing), "config:2") == f"config:2: {missing}: no such file or directory"
    assert _load_error(str(broken)) == f"AWS_CA_BUNDLE: {broken}: holds no certificates in PEM form"
    assert _load_error(str(empty)) == f"AWS_CA_BUNDLE: {empty}: holds no certificates in PEM form"
    assert _load_error(str(tmp_path)).startswith(f"AWS_CA_BUNDLE: {tmp_path}: ")
    assert _load_error("/nul\0") == "AWS_CA_BUNDLE: /nul\0: cannot be read"


def test_the_default_ones_are_all_loaded() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    Authorities(default_path()).load(context)
    assert len(context.get_ca_certs()) > 100


# --- the frozen program's ---------------------------------------------------------------------------------------------


def _rehashed(directory: Path) -> set[str]:
    """Return the names that ``openssl rehash`` gives to the certificates in the directory."""
    openssl = shutil.which("openssl")
    assert openssl is not None
    subprocess.run([openssl, "rehash", str(directory)], check=True, capture_output=True)
    return {path.name for path in directory.iterdir() if path.is_symlink()}


def test_the_frozen_programs_are_those_of_boto3_under_the_names_that_openssl_looks_for(tmp_path: Path) -> None:
    entries = frozen_authorities.hashed(BOTO3S, str(tmp_path / "hashed"))
    found = [Path(path).read_text() for _, path, _ in entries]
    ours = {ssl.PEM_cert_to_DER_cert(text) for text in found}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(BOTO3S)
    assert ours == set(context.get_ca_certs(binary_form=True))
    assert len(ours) == len(entries) > 100
    assert {name.rpartition("/")[0] for name, _, _ in entries} == {HASHED}
    (tmp_path / "plain").mkdir()
    for number, text in enumerate(found):
        (tmp_path / "plain" / f"{number}.pem").write_text(text)
    assert _rehashed(tmp_path / "plain") == {name.rpartition("/")[2] for name, _, _ in entries}


@pytest.mark.parametrize("name", ["Plain", "  Two   Words ", "ÄRGER & Söhne", "日本", "x" * 64])
def test_a_name_is_hashed_however_it_is_spelt(name: str, tmp_path: Path) -> None:
    ca = Ca(tmp_path, "authority", subject=name)
    der = ssl.PEM_cert_to_DER_cert(ca.path.read_text())
    assert _rehashed(tmp_path) == {f"{frozen_authorities.subject_hash(der)}.0"}


def test_two_of_one_name_both_have_a_place(tmp_path: Path) -> None:
    both = [Ca(tmp_path, name, subject="same").path.read_text() for name in ("one", "two")]
    (tmp_path / "bundle").write_text("# a remark\n" + "".join([*both, both[0]]))
    names = [name for name, _, _ in frozen_authorities.hashed(str(tmp_path / "bundle"), str(tmp_path / "hashed"))]
    assert [name.rpartition(".")[2] for name in names] == ["0", "1"]
    assert len({name.rpartition(".")[0] for name in names}) == 1


def test_a_bundle_without_a_certificate_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("nothing")
    with pytest.raises(SystemExit, match="there is no certificate"):
        frozen_authorities.hashed(str(tmp_path / "bundle"), str(tmp_path / "hashed"))


def test_an_authority_in_the_directory_is_trusted_and_no_other(tmp_path: Path) -> None:
    ca, stranger = Ca(tmp_path, "ours"), Ca(tmp_path, "stranger")
    (tmp_path / "bundle").write_text(Path(BOTO3S).read_text() + ca.path.read_text())
    frozen_authorities.hashed(str(tmp_path / "bundle"), str(tmp_path / "hashed"))
    transport = Direct(Authorities(str(tmp_path / "hashed")))
    for issuer, trusted in ((ca, True), (stranger, False)):
        answer = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        with Server(answer, tls(issuer.issue("server", "127.0.0.1"))) as server:
            request = Request("POST", Url("https", "127.0.0.1", server.port, "/"), {}, b"")
            if trusted:
                assert transport.send(request, Timeouts(time.monotonic() + 5)).body == b"hello"
            else:
                with pytest.raises(TransportError, match="certificate"):
                    transport.send(request, Timeouts(time.monotonic() + 5))


def test_the_frozen_program_takes_the_directory_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert default_path() == BOTO3S, "where there is none"
    (tmp_path / HASHED).mkdir()
    assert default_path() == str(tmp_path / HASHED)
