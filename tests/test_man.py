"""The man page, read as those read it who have man or mandoc."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from credproc.commands import commands, parser
from tests.built import COMMANDS, MAIN, ROOT, command_line, manual

EPOCH = 1_767_225_599  # 2025-12-31, a second before midnight
RUN = [command for command in COMMANDS if not command.actions]
SETTING = re.compile(r"\b(?:credproc_[a-z]\w+|CREDPROC_[A-Z]\w+|AWS_[A-Z]\w+|mfa_process|NO_COLOR|PYTHON_\w+)\b")


@pytest.fixture(name="page", scope="module")
def _page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page, as build/freeze writes it."""
    path = tmp_path_factory.mktemp("man") / "credproc.1"
    manual.write(str(path), "1.2.3", EPOCH)
    return path


def _ran(*command: str) -> "subprocess.CompletedProcess[str]":
    assert shutil.which(command[0]) is not None, f"build/test installs {command[0]}"
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(name="text", scope="module")
def _text(page: Path) -> str:
    """Return the page as a wide terminal shows it, without bold and italics."""
    return re.sub(".\b", "", _ran("mandoc", "-Tutf8", "-Oindent=7,width=1000", str(page)).stdout)


def _section(text: str, title: str) -> str:
    """Return what is below a title."""
    return re.split(r"^(?=\S)", text.partition(f"\n{title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize(
    "command",
    ["mandoc -Tlint", "mandoc -Tlint -Wall", "groff -ww -man -Tutf8 -z", "groff -ww -man -Tascii -z"],
)
def test_no_reader_of_man_pages_finds_anything_to_say(page: Path, command: str) -> None:
    ran = _ran(*command.split(), str(page))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_man_shows_it_without_a_warning(page: Path) -> None:
    ran = _ran("man", "--warnings", "-l", str(page))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "EXIT STATUS" in ran.stdout


def test_the_sections_are_those_that_a_person_expects(text: str) -> None:
    expected = "NAME SYNOPSIS DESCRIPTION OPTIONS COMMANDS MFA SETTINGS ENVIRONMENT FILES EXIT_STATUS EXAMPLES SEE_ALSO"
    found = re.findall(r"^[A-Z].*$", text, re.MULTILINE)[1:]
    assert [title.replace(" ", "_") for title in found] == expected.split()


def test_the_page_says_its_version_and_the_day_that_it_was_given(page: Path) -> None:
    assert page.read_text().splitlines()[0] == '.TH CREDPROC 1 2025-12-31 "credproc 1.2.3" "User Commands"'


def test_the_commands_stand_in_the_groups_of_the_help(text: str) -> None:
    section = _section(text, "COMMANDS")
    groups = [group.lower() for group in re.findall(r"^   (\S.*)$", section, re.MULTILINE)]
    assert groups == list(dict.fromkeys(command.group for command in COMMANDS))
    for part, group in zip(re.split(r"^   \S.*$", section, flags=re.MULTILINE)[1:], groups, strict=True):
        expected = [command.name for command in RUN if command.group == group]
        assert [form.group(1).strip() for form in _forms(part)] == expected


def _forms(section: str) -> "list[re.Match[str]]":
    return list(re.finditer(r"^ {7}credproc ((?:[a-z]+ ?)+)(.*)$", section, re.MULTILINE))


def _about(text: str, command: command_line.Command) -> tuple[str, str]:
    """Return how the page writes the command, and what it says of it."""
    section = _section(text, "COMMANDS")
    (form,) = [form for form in _forms(section) if form.group(1).strip() == command.name]
    return form.group(2), re.split(r"^ {0,7}\S", section[form.end() :], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.name)
def test_a_command_has_its_options_and_arguments_and_no_others(text: str, command: command_line.Command) -> None:
    form, said = _about(text, command)
    flags = {option.flag for option in command.options} - {"--help"}
    assert set(re.findall(r"--[a-z-]+", form)) == flags
    once = set(re.findall(r"^ {7}(--[a-z-]+)", _section(text, "COMMANDS"), re.MULTILINE))
    shown = set(re.findall(r"^ {10,}(--[a-z-]+)", said, re.MULTILINE))
    assert shown | once & flags == flags
    words = re.sub(r"--[a-z-]+ [A-Z]+|\.\.\.", "", form)
    assert re.findall(r"[A-Z]+", words) == [argument.name.removeprefix("-- ") for argument in command.arguments]
    for argument in command.arguments:
        assert (f"[{argument.name}]" in form) is not (argument.is_required or argument.is_command_line)


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.name)
def test_a_command_says_what_its_help_says(text: str, command: command_line.Command) -> None:
    said = " ".join(_about(text, command)[1].split())
    assert command.description in said
    said += " ".join(re.split(r"^   \S", _section(text, "COMMANDS"), maxsplit=1, flags=re.MULTILINE)[0].split())
    helps = [one.help for one in command.options if one.flag != "--help"] + [one.help for one in command.arguments]
    for sentence in (one.removesuffix(" (default: AWS_PROFILE)") for one in helps):
        assert f"{sentence[0].upper()}{sentence[1:]}." in said
    for choice in (choice for option in command.options for choice in option.choices):
        assert re.search(rf"\b{choice}\b", said)


def test_the_page_says_no_sentence_twice(text: str) -> None:
    page = " ".join(text.partition("\nEXAMPLES\n")[0].split())
    sentences = [one for one in re.split(r"(?<=[.:;]) ", page) if len(one.split()) > 2]
    assert [one for one in dict.fromkeys(sentences) if sentences.count(one) > 1] == []


def test_options_that_exclude_each_other_stand_together(text: str) -> None:
    (logout,) = [command for command in RUN if command.name == "logout"]
    assert _about(text, logout)[0] == "[NAME] [--profile NAME | --all]"


def test_the_main_forms_options_are_in_the_page(text: str) -> None:
    section = _section(text, "OPTIONS")
    assert set(re.findall(r"^ {7}(--[a-z-]+)", section, re.MULTILINE)) == {option.flag for option in MAIN.options}


def test_the_page_names_no_option_that_the_parser_does_not_know(text: str) -> None:
    known = {option.flag for command in (MAIN, *COMMANDS) for option in command.options}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) == known


def test_the_page_names_no_command_that_the_parser_does_not_know(page: Path) -> None:
    named = re.findall(r"(?:^\.BR? \"?|\\fB)credproc ([a-z]+(?: [a-z]+)?)", page.read_text(), re.MULTILINE)
    assert len(named) > len(RUN)
    assert set(named) <= {command.name for command in COMMANDS}


def test_the_parser_understands_the_examples(text: str) -> None:
    examples = re.findall(r"(?<=[ (])credproc ([^)\n]*)", _section(text, "EXAMPLES"))
    lines = [shlex.split(line) for line in examples if not line.startswith(", ")]
    lines = [line for line in lines if line[0] in {command.name for command in COMMANDS}]
    assert len(lines) >= 6
    for line in lines:
        assert parser(commands()).parse_args(line[: line.index("--")] if "--" in line else line).command == line[0]


def test_the_page_has_the_settings_and_variables_of_the_docs_and_no_others(text: str) -> None:
    told = set(SETTING.findall("\n".join(_section(text, title) for title in ("SETTINGS", "ENVIRONMENT"))))
    tables = re.findall(r"^\|.*$", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    listed = set(SETTING.findall("\n".join(tables)))
    ours = {name for name in listed if name.upper().startswith("CREDPROC_")}
    assert ours <= told
    assert told - listed <= {"NO_COLOR"}


def test_the_page_has_every_setting_and_its_meaning(text: str) -> None:
    section = " ".join(_section(text, "SETTINGS").split())
    for meaning, names in manual.settings().items():
        told = meaning.replace("`", "")
        shown = f"{' '.join(names)} {told[0].upper()}{told[1:]}." if len(names) <= 5 else f"{', '.join(names)}: {told}."
        assert shown in section


def test_a_text_with_signs_of_roff_is_shown_as_it_is(tmp_path: Path) -> None:
    said = r"a \fB b 'c' `d` ^e ~f " + '"g" -h --no-i .j k…'
    (tmp_path / "page").write_text(f'.TH X 1 2025-12-31 "x" "y"\n.SH A\n.PP\n{manual._plain(said)}\n', encoding="ascii")
    shown = _ran("mandoc", "-Tutf8", "-Owidth=1000", str(tmp_path / "page")).stdout
    assert said in re.sub(".\b", "", shown)
    # Bare, groff 1.23 shows them as others, and older ones do not
    assert manual._plain("""'`^~-\"""") == r"\(aq\(ga\(ha\(ti\-\(dq"


def test_a_line_that_begins_with_a_dot_is_no_macro() -> None:
    assert list(manual._prose(".aws is read, 'x' too")) == [r"\&.aws is read, \(aqx\(aq too"]
