from __future__ import annotations

from actions.jose.algorithm import ALGORITHMS, model


def test_none_is_no_algorithm() -> None:
    assert not {name for name in ALGORITHMS if name.lower() == "none"}


def test_the_language_s_algorithms_are_all_there() -> None:
    families = {
        f"{family}{bits}" for family in ("RS", "PS", "ES", "HS") for bits in (256, 384, 512)
    }
    assert ALGORITHMS.keys() == families | {"EdDSA"}
    assert [model(name).name for name in ALGORITHMS] == list(ALGORITHMS)


def test_each_curve_has_one_hash() -> None:
    curves = {each.name: each.curves for each in ALGORITHMS.values() if each.key_type == "EC"}
    assert curves == {"ES256": ("P-256",), "ES384": ("P-384",), "ES512": ("P-521",)}
