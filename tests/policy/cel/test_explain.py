"""The parts of an expression, each with its value: for a person who asks why."""

from __future__ import annotations

from tests.policy.cel.requests import Values, compiled


def test_every_part_has_its_value() -> None:
    expression = compiled("req.method == 'GET' && size(req.host) > 3")
    parts = [(part.text, part.value) for part in expression.explain(Values())]
    assert parts == [
        ("req.method == 'GET' && size(req.host) > 3", True),
        ("req.method == 'GET'", True),
        ("req.method", "GET"),
        ("size(req.host) > 3", True),
        ("size(req.host)", 15),
        ("req.host", "app.example.com"),
    ]


def test_a_part_that_fails_shows_its_error() -> None:
    parts = compiled("vars.n > 1 || true").explain(Values())
    assert [part.error is None for part in parts] == [True, False, True, True]


def test_a_secret_is_never_shown() -> None:
    expression = compiled("secrets.get('main', 'key') + '!' == req.method")
    shown = [str(part.value) for part in expression.explain(Values())]
    assert not any("s3cret" in text for text in shown)


def test_a_loop_shows_what_it_goes_over() -> None:
    parts = compiled("test.numbers.exists(n, n == 3)").explain(Values())
    assert [part.text for part in parts] == ["test.numbers.exists(n, n == 3)", "test.numbers"]
