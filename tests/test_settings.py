"""The table of settings: what docs and man page say of each, and that the code asks for no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import credproc
from credproc.config.settings import ROLE_PARAMETERS, SETTINGS, KnownSetting, setting_named
from credproc.plan.role import Role
from tests.built import ROOT, manual

PACKAGE = Path(credproc.__file__).parent
ASKED = {"setting", "value", "own", "line_of"}  # the methods of a Section that take a setting's name


def _rows() -> dict[str, list[str]]:
    """Return the names in the table of docs/settings.md, by their meaning."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    table = page.partition("| setting | meaning |\n|---|---|\n")[2].partition("\n\n")[0]
    cells = (line.strip("| ").split(" | ") for line in table.splitlines())
    return {meaning.partition(": [")[0]: re.findall(r"`(\w+)`", names) for names, meaning in cells}


def _asked() -> Iterator[tuple[str, str]]:
    """Yield the method and the name, where the code asks a section for a setting by a name that stands there."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKED:
                yield from (
                    (node.func.attr, one.value)
                    for one in node.args
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )


def test_no_setting_is_there_twice() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_the_page_has_the_settings_in_the_order_of_the_table_and_says_what_it_says() -> None:
    assert list(_rows().items()) == list(manual.settings().items())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_only_what_sdks_do_not_know_may_need_the_prefix(setting: KnownSetting) -> None:
    assert setting.prefix != "required" or setting.owner == "credproc"
    assert setting.owner == "AWS" or not setting.wins_in


@pytest.mark.parametrize(("method", "name"), sorted(set(_asked())))
def test_the_code_asks_for_no_setting_that_is_not_in_the_table(method: str, name: str) -> None:
    setting = setting_named(name)
    assert setting is not None or name in ("sso", "sts")  # of a services section
    if setting is not None:
        assert setting.prefix == ("required" if method == "own" else "optional")


def test_every_parameter_of_a_role_is_that_of_a_setting() -> None:
    role = Role("arn", "name", "config:1", "id", 900, "{}", ("arn",), (("a", "b"),), ("a",), "me")
    session = {"WebIdentityToken", "SerialNumber"}  # of other calls, or with a code
    assert set(role.parameters()) == set(ROLE_PARAMETERS.values()) - session


def test_the_page_names_what_is_refused_in_a_file_that_others_can_change() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = page.partition("\n## A config that others can change\n")[2].partition("\n## ")[0]
    _, refused, not_started = section.split("\n- ")
    for rule, text in (("refused", refused), ("not started", not_started)):
        names = {setting.name for setting in SETTINGS if setting.in_untrusted_file == rule}
        assert names == set(re.findall(r"`(\w+)`", text.partition("\n\n")[0]))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_what_starts_a_program_or_says_where_a_secret_goes_counts_in_no_file_that_others_can_change(
    setting: KnownSetting,
) -> None:
    assert (setting.in_untrusted_file == "not started") == (setting.shown == "the program")
    chooses = re.search(r"(?<!metadata_service_)(endpoint_url$|services$|bundle|prox)", setting.name)
    assert (setting.in_untrusted_file == "refused") == bool(chooses)
