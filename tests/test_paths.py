"""Places beyond the SDKs' nine cases: variables that are relative, empty or absent."""

import ntpath
import os
from collections.abc import Callable

import pytest

from credproc import paths
from credproc.cache import profile_named
from tests.posix import native


def test_the_profile_is_the_given_one_before_the_variables() -> None:
    environ = {"AWS_PROFILE": "b", "AWS_DEFAULT_PROFILE": "c"}
    assert profile_named("a", environ) == "a"
    assert profile_named(None, environ) == "b"
    assert profile_named(None, environ | {"AWS_PROFILE": ""}) == "c"
    assert profile_named(None, {}) is None
    assert profile_named("", {}) is None


@pytest.mark.parametrize("name", ["a", "\u00e9", "e\u0301", "\udcff", "a\udcc3"])
def test_a_profile_is_named_by_its_bytes(name: str) -> None:
    assert profile_named(name, {}) == name


def test_a_name_that_was_decoded_by_another_locale_is_read_as_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("ascii", "surrogateescape"))
    assert profile_named("\udcc3\udca9", {}) == "\u00e9"
    assert profile_named("\udce9", {}) == "\udce9"


@pytest.mark.parametrize(
    ("environ", "platform", "place"),
    [
        pytest.param(
            *({"CREDPROC_CACHE_DIR": "/own", "XDG_CACHE_HOME": "/xdg", "HOME": "/h"}, "linux", "/own"),
            marks=pytest.mark.posix("absolute paths without a drive"),
        ),
        ({"CREDPROC_CACHE_DIR": "own", "XDG_CACHE_HOME": "/xdg", "HOME": "/h"}, "linux", "/xdg/credproc"),
        ({"XDG_CACHE_HOME": "xdg", "HOME": "/h"}, "linux", "/h/.cache/credproc"),
        ({"XDG_CACHE_HOME": "./xdg", "HOME": "/h"}, "linux", "/h/.cache/credproc"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "linux", "/h/.cache/credproc"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Caches/credproc"),
        ({"XDG_CACHE_HOME": "/xdg", "HOME": "/h"}, "darwin", "/xdg/credproc"),
        ({"LOCALAPPDATA": "C:\\l", "HOME": "/h"}, "win32", "C:\\l\\credproc\\Cache"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/xdg"}, "win32", None),
    ],
)
def test_the_cache_is_in_the_first_place_that_is_absolute(
    environ: dict[str, str], platform: str, place: str | None
) -> None:
    assert paths.cache_directory(environ, platform=platform) == place


@pytest.mark.posix("the user database")
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_home_the_user_database_knows_it(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    home = os.path.expanduser("~")  # as Python reads the user database
    assert paths.home_directory(environ, windows=False) == home
    assert paths.config_file(environ, windows=False) == f"{home}/.aws/config"
    assert paths.cache_directory(environ, platform="linux") == f"{home}/.cache/credproc"


def test_on_windows_without_any_home_there_is_no_file() -> None:
    assert paths.home_directory({}, windows=True) is None
    assert paths.config_file({}, windows=True) is None
    assert paths.credentials_file({}, windows=True) is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"USERPROFILE": "C:\\Users\\me", "HOME": "D:\\home", "HOMEDRIVE": "H:", "HOMEPATH": "\\"}, "C:\\Users\\me"),
        ({"USERPROFILE": "", "HOME": "D:\\home", "HOMEDRIVE": "H:", "HOMEPATH": "\\me"}, "H:\\me"),
        ({"HOME": "D:\\home", "HOMEDRIVE": "H:"}, "D:\\home"),
    ],
)
def test_on_windows_the_home_is_the_one_that_boto3_knows(environ: dict[str, str], expected: str) -> None:
    assert paths.home_directory(environ, windows=True) == expected
    assert paths.config_file(environ, windows=True) == f"{expected}\\.aws\\config"
    assert (
        paths.credentials_file(environ | {"AWS_SHARED_CREDENTIALS_FILE": "~/a/b"}, windows=True) == f"{expected}\\a\\b"
    )


def test_on_windows_the_cache_directory_has_one_kind_of_separator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "path", ntpath)
    found = paths.cache_directories({"CREDPROC_CACHE_DIR": "C:/a/b"}, platform="win32")
    assert found == ("C:\\a\\b", "C:\\a\\b\\credproc")


@pytest.mark.posix("the user database")
def test_an_unknown_user_without_home_has_no_files_and_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert paths.home_directory({}, windows=False) is None
    assert paths.config_file({}, windows=False) is None
    assert paths.cache_directory({}, platform="linux") is None


@pytest.mark.parametrize(
    ("locate", "variable"),
    [(paths.config_file, "AWS_CONFIG_FILE"), (paths.credentials_file, "AWS_SHARED_CREDENTIALS_FILE")],
)
def test_a_tilde_and_a_variable_are_expanded_and_another_users_home_is_not(
    locate: Callable[..., str | None], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "/place")
    cases = {"~/x": "/h/x", "~": "/h", "~root/x": "~root/x", "$PLACE/x": "/place/x", "a/~/b": "a/~/b", "/x": "/x"}
    for given, expected in cases.items():
        assert locate({"HOME": "/h", variable: given}, windows=False) == expected
    assert os.path.basename(locate({"HOME": "/h", variable: ""}, windows=False) or "") in ("config", "credentials")


def test_a_path_is_shown_with_a_tilde_only_below_the_home() -> None:
    shown = {"/h/x": "~/x", "/hx": "/hx", "/h": "/h", "/other/h/x": "/other/h/x"}
    shown = {native(path): native(text) for path, text in shown.items()}
    assert {path: paths.shown(path, {"HOME": native("/h")}) for path in shown} == shown
