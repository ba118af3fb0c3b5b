from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from policy.regex import MAX_PLAIN_TEXTS, PATTERN_LIMIT_CHARS, Matcher, Regex, RegexError

PERL_HINT = "RE2 has no look-around and no back-references; write the pattern without them"


@pytest.mark.parametrize(
    ("pattern", "text", "replacement", "result"),
    [
        ("b", "abcb", "x", "axcx"),
        ("(a)(b)", "ab", "$2$1", "ba"),
        ("a", "cat", "[$0]", "c[a]t"),
        ("a", "a", "$$0", "$0"),
        ("(a)", "a", "$12", "a2"),
        ("(a)", "a", "<$2>", "<>"),
        ("(a)", "a", "<$23>", "<>"),
        ("(a)", "a", "$01", "a"),
        ("(.)" * 12, "abcdefghijkl", "$12$1", "la"),
        ("(a)|(b)", "ab", "<$2>", "<><b>"),
        ("a", "a", "$name ${1} $", "$name ${1} $"),
        ("x*", "axb", "-", "-a-b-"),
        ("", "é😀", "-", "-é-😀-"),
        ("^", "ab", "x", "xab"),
        ("(?i)É", "éÉ", "e", "ee"),
        (r"\bb", "ab b", "x", "ab x"),
        ("😀(.)", "a😀é!", "$1$1", "aéé!"),
    ],
)
def test_every_match_is_replaced(pattern: str, text: str, replacement: str, result: str) -> None:
    """Language spec, section 5.18."""
    assert Regex(pattern).replace(text, replacement).text == result


def test_what_was_replaced_is_told() -> None:
    assert Regex("[0-9]+").replace("a1b22", "").matches == ("1", "22")
    assert Regex("x").replace("abc", "y").matches == ()


def test_bytes_that_are_no_text_survive() -> None:
    odd = b"\xff-a-\xfe".decode("utf-8", "surrogateescape")
    assert Regex("a").replace(odd, "b").text.encode("utf-8", "surrogateescape") == b"\xff-b-\xfe"
    assert Regex("a").search(odd)
    assert not Regex("b").search(odd)
    assert Regex("a").search("\ud800a")
    assert Regex("a").replace_bytes(b"\xffa", b"$0$0") == (b"\xffaa", [b"a"])


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("(", None),
        ("a{2,1}", None),
        ("(?=a)", PERL_HINT),
        (
            "(?<!a)b",
            PERL_HINT,
        ),
        (r"(a)\1", PERL_HINT),
    ],
)
def test_what_re2_lacks_is_refused(
    pattern: str, hint: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    """T-EX-3."""
    with pytest.raises(RegexError, match="RE2") as refusal:
        Regex(pattern)
    assert refusal.value.hint == hint
    assert capfd.readouterr().err == ""


def test_the_size_of_a_pattern_is_capped() -> None:
    """T-EX-4."""
    with pytest.raises(RegexError, match="longer than"):
        Regex("a" * (PATTERN_LIMIT_CHARS + 1))
    with pytest.raises(RegexError):
        Regex("((a{1,900}){1,900}){1,900}")


def test_catastrophic_patterns_are_linear() -> None:
    """T-EX-3."""
    assert not Regex("(a+)+$").search("a" * 1_000_000 + "b")


def test_a_regex_is_a_value() -> None:
    assert Regex("a") == Regex("a")
    assert hash(Regex("a")) == hash(Regex("a"))
    assert Regex("a") != Regex("b")
    assert repr(Regex("a")) == "Regex('a')"


@given(st.text(max_size=30), st.sampled_from(["", "a*", "[a-z]", ".", r"\B", "$", "(?m)^"]))
def test_replacing_each_match_by_itself_changes_nothing(text: str, pattern: str) -> None:
    assert Regex(pattern).replace(text, "$0").text == text


@given(st.text(max_size=20), st.text(alphabet="$0123456789ab{}", max_size=12))
def test_any_pattern_and_replacement_gives_text_or_a_regex_error(
    pattern: str, replacement: str
) -> None:
    try:
        regex = Regex(pattern)
    except RegexError:
        return
    assert isinstance(regex.replace("abc123", replacement).text, str)


WORDS = st.lists(st.sampled_from(["k", "is", "Sqlmap", "a b", "-", "x/1"]), min_size=1, max_size=4)


@given(
    WORDS.map("|".join),
    st.sampled_from(["", "(?i)"]),
    st.text(st.sampled_from("kKiIsS\u212a\u017f\u0130sqlmapSQLMAP -x/1\udc80"), max_size=12),
)
def test_plain_texts_are_found_where_re2_finds_them(pattern: str, flags: str, text: str) -> None:
    found = re2.search((flags + pattern).encode(), text.encode("utf-8", "surrogateescape"))
    assert Matcher(flags + pattern).search(text) == bool(found)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(?i)sqlmap|nikto", "Mozilla Nikto/2", True),
        ("sqlmap|nikto", "Mozilla Nikto/2", False),
        ("(?i)kelvin", "\u212aelvin", True),
        ("a|", "b", True),
        ("a.c", "abc", True),
        ("a.c", "a.d", False),
        ("|".join(map(str, range(MAX_PLAIN_TEXTS + 1))), "no 16", True),
        ("|".join(map(str, range(MAX_PLAIN_TEXTS + 1))), "none", False),
    ],
    ids=str,
)
def test_a_matcher_tells_whether_a_pattern_is_found(
    pattern: str,
    text: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert Matcher(pattern).search(text) is expected
