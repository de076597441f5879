"""Config files as people, editors and other programs leave them, for hypothesis."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from credproc.config.settings import ROLE_NAMES

# A machine that is busy with other things is no fault of an edit
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_END = st.sampled_from(["\n", "\r\n", "\r"])
VALUES = st.text(st.characters(exclude_characters="|\r\n\x00", exclude_categories=["Cs"]), max_size=8)
_KEY = st.sampled_from([*sorted(ROLE_NAMES), "region", "output", "Role_Arn", "ca_bundle", "credproc_policy"])
_PROPERTY = st.builds("{}{}={}".format, _KEY, st.sampled_from(["", " ", "\t  "]), VALUES)
_OTHER = st.one_of(st.just(""), st.just("   "), VALUES.map("# {}".format), VALUES.map("; {}".format))
_NESTED = st.sampled_from(["s3 =|  a = 1|\tb=2", "s3 =|  a = 1||  # said|\tb=2"])
_BODY = st.lists(st.one_of(_PROPERTY, _OTHER, _NESTED), max_size=8)
_HEADER = st.sampled_from(["[profile {}]", "[profile\t{}] # c", "[ profile {} ]", "[profile '{}']"])
_FOREIGN = st.sampled_from(["[profile other]", "[default]", "[sso-session admin]", "[services admin]", "[admin]"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return the text of a file with profile ``admin`` once, which has a role, and others around it."""
    lines = draw(st.lists(_OTHER, max_size=2))
    for _ in range(draw(st.integers(0, 2))):
        lines += [draw(_FOREIGN), *draw(_BODY)]
    lines += [draw(_HEADER).format("admin"), *draw(_BODY), f"role_arn = {draw(VALUES)}", *draw(_BODY)]
    for _ in range(draw(st.integers(0, 2))):
        lines += [draw(_FOREIGN), *draw(_BODY)]
    text = "".join(part + draw(_END) for line in lines for part in line.split("|"))
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return draw(st.sampled_from(["", "\ufeff"])) + text
