import pytest

from include.loadtest.collectors.statement_text import HIDDEN, without_values

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT * FROM users\n  WHERE email = 'mario@rossi.it'", "SELECT * FROM users WHERE email = ?"),
        ("SELECT 'it''s', E'a\\'b', U&'x', b'01', N'y'", "SELECT ?, ?, ?, ?, ?"),
        (
            "UPDATE t1 SET a2 = -1.5e-3, b = $2 WHERE c3 IN (1,2, 0xFF)",
            "UPDATE t1 SET a2 = -?, b = $2 WHERE c3 IN (?,?, ?)",
        ),
        ('SELECT "odd 7 \'name" FROM "t\'"', 'SELECT "odd 7 \'name" FROM "t\'"'),
        ("SELECT $$mario$$, $tag$ it's $x$ 5 $tag$ FROM t", "SELECT ?, ? FROM t"),
        ("SELECT 1 -- for mario\n+ 2 /* and 'rossi' */", "SELECT ? + ?"),
        ("INSERT INTO t VALUES ('a text that was cut", "INSERT INTO t VALUES (?"),
        ("SELECT $$ cut", "SELECT ?"),
        ("SELECT /* cut", "SELECT"),
        ("SELECT /* a /* b */ Mario Rossi 45 */ 1", "SELECT ?"),
        ("SELECT /* a /* b */ Mario /* c */ Rossi", "SELECT"),
        ("SELECT 1 /* a */ + 2 /*/ Mario */ + 3", "SELECT ? + ? + ?"),
        ("SELECT '/* no comment', 5", "SELECT ?, ?"),
        ("SELECT 'O\\'Brien Mario', 'x' FROM t", "SELECT ?"),
        ("SELECT 'C:\\', Mario", "SELECT ?"),
        ("SELECT 'a\\\\', b, 'c\\d', e", "SELECT ?, b, ?, e"),
        ("SELECT U&'\\0041\\', Mario", "SELECT ?"),
        ("SET x = 'cut \\", "SET x = ?"),
        ("SET x = E'cut \\'", "SET x = ?"),
        ("LIKE'a' OR select'b'", "LIKE? OR select?"),
        ("ALTER ROLE m PASSWORD 'SCRAM-SHA-256$4096:x'", "ALTER ROLE m PASSWORD ?"),
    ],
)
def test_a_statement_is_shown_without_its_values(statement: str, shown: str) -> None:
    """Texts and numbers may be personal data; names, parameters and the shape stay."""
    assert without_values(statement) == shown


@pytest.mark.parametrize("statement", [None, HIDDEN])
def test_what_the_role_may_not_see_is_not_known(statement: str | None) -> None:
    """No text, not the server's words for it."""
    assert without_values(statement) is None


def test_a_hostile_statement_costs_no_time() -> None:
    """Quotes and tags that never end, of a length that the server allows."""
    for piece in ("$a$", "'", "E'\\", "\\'", "'\\\\", '"', "/*", "/**/", "--", "$1", "1e"):
        assert len(without_values(piece * 300_000) or "") <= 500
