"""Calls of the Query protocol are sent as botocore sends them; the deep sweep is ``python -m tests.queries``."""

import pytest

from credproc.aws.message import UnsendableError
from credproc.aws.query import form
from credproc.credentials import Credentials
from tests.queries import Example, our_request, sweep


def test_five_hundred_generated_calls_are_signed_and_sent_as_botocore_would() -> None:
    tally = sweep(500, number=2026)
    assert tally.total() >= 500
    assert len(tally) == 8, tally
    assert min(tally.values()) >= 10, tally


def test_a_form_has_the_action_first_and_the_parameters_in_their_order() -> None:
    parameters = {"B": "x y", "A": 900, "L": ["+", {"Key": "~", "Value": "é"}], "E": []}
    assert form("Do", "2011-06-15", parameters) == (
        b"Action=Do&Version=2011-06-15&B=x+y&A=900&L.member.1=%2B&L.member.2.Key=~&L.member.2.Value=%C3%A9&E="
    )


def test_what_utf_8_cannot_say_is_not_sent_as_something_else() -> None:
    with pytest.raises(UnsendableError):
        form("Do", "1", {"A": "\udcff"})


def test_a_web_identity_is_sent_unsigned() -> None:
    url = "https://sts.us-west-2.amazonaws.com"
    request = our_request(Example("sts", "AssumeRoleWithWebIdentity", {}, None, url, "us-west-2", 0))
    assert set(request.headers) == {"Content-Type", "User-Agent"}


def test_a_call_names_credproc_as_its_client() -> None:
    url = "https://sts.us-west-2.amazonaws.com"
    keys = Credentials("AKIA", "s")
    request = our_request(Example("sts", "GetCallerIdentity", {}, keys, url, "us-west-2", 0))
    assert request.headers["User-Agent"].startswith("credproc/")
