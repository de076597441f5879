"""The option of the tests that are named by CVEs."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--evidence",
        metavar="FILE",
        help="what build/faults has just played; cases that stand there are not played again",
    )
