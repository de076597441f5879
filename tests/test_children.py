"""What programs that credproc starts find in their environment."""

import pytest

from credproc.process.child_environment import environment_for_child

INSIDE = "/opt/my tools/credproc/_internal"


def test_an_installed_credproc_passes_on_what_it_has() -> None:
    environ = {"LD_LIBRARY_PATH": "/of/a/frozen/caller", "LD_LIBRARY_PATH_ORIG": "/usr/mine", "_PYI_ARCHIVE_FILE": "/x"}
    passed = environment_for_child(environ)
    assert passed == environ
    assert passed is not environ


@pytest.mark.parametrize(
    ("path", "before", "expected"),
    [
        (INSIDE, None, {}),
        (f"{INSIDE}:/usr/mine:/usr/yours", "/usr/mine:/usr/yours", {"LD_LIBRARY_PATH": "/usr/mine:/usr/yours"}),
        (f"{INSIDE}:/other/_internal", "/other/_internal", {"LD_LIBRARY_PATH": "/other/_internal"}),
        # a variable of that name which was there before, and that the bootloader had no reason to replace
        (INSIDE, "/of/somebody/else", {"LD_LIBRARY_PATH_ORIG": "/of/somebody/else"}),
        # not what the bootloader sets
        (f"{INSIDE}2:/usr/mine", None, {"LD_LIBRARY_PATH": f"{INSIDE}2:/usr/mine"}),
        (None, None, {}),
    ],
)
def test_the_search_path_is_again_the_one_that_the_bootloader_found(
    path: str | None, before: str | None, expected: dict[str, str]
) -> None:
    found = {"LD_LIBRARY_PATH": path, "LD_LIBRARY_PATH_ORIG": before}
    environ = {name: value for name, value in found.items() if value is not None}
    assert environment_for_child({**environ, "HOME": "/h"}, program_directory=INSIDE) == {**expected, "HOME": "/h"}


def test_the_variables_of_the_bootloader_stay_inside() -> None:
    ours = {"_PYI_ARCHIVE_FILE": "a", "_PYI_PARENT_PROCESS_LEVEL": "1", "_PYI_LINUX_PROCESS_NAME": "credproc"}
    environ = {**ours, "_MEIPASS2": "b", "_PYTHON": "c", "PATH": "/bin"}
    assert environment_for_child(environ, program_directory=INSIDE) == {"_PYTHON": "c", "PATH": "/bin"}
