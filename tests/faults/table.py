"""All rows of FAULTS.md, in the order of their ids; the page has them by subject."""

from importlib import import_module

from tests.faults.rows import Row

_GROUPS = """
    a_invocation b_parsing c_resolution d_entries e_places
    e_swaps f_crowds g_signals g_terminal h_disk
    i_kept j_mfa_process k_keyring l_time m_output
    n_network o_killed o_power p_collected p_rest
    q_identity r_limits s_keys t_kept u_endpoints v_words w_places x_odd
""".split()
ROWS: tuple[Row, ...] = tuple(
    sorted((row for group in _GROUPS for row in import_module(f"tests.faults.{group}").ROWS), key=lambda row: row.id)
)
# The numbers between are those of rows to come
NUMBERS = (*range(1, 163), *range(165, 189), *range(190, 193))
LETTERED = ["F072a", "F072b", "F072c", "F072d", "F072e", "F094a", "F094b", "F094c", "F094d", "F104a"]
SHARED = "F087-F093"


def identifiers() -> list[str]:
    """Return the ids that FAULTS.md has, in their order: NUMBERS, of which seven share a row, and the lettered."""
    numbers = [f"F{number:03d}" for number in NUMBERS if not 88 <= number <= 93]
    named = sorted([*numbers, *LETTERED])
    return [SHARED if name == "F087" else name for name in named]
