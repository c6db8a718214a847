import numpy as np
import pytest

from db import templates


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_few_rows_and_many_are_summed_to_the_same(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(rows, 128)).astype(np.float32)
    weights = random.uniform(0.5, 1.5, rows).astype(np.float32)
    owners = random.integers(0, 40, rows) * 2  # every other person has no row
    few = templates.sum_by_owner(vectors, weights, owners, 81)
    monkeypatch.setattr(templates, "MANY_ROWS", -1)
    many = templates.sum_by_owner(vectors, weights, owners, 81)

    expected = np.zeros((81, 128))
    np.add.at(expected, owners, weights[:, None] * vectors)
    assert few.dtype == many.dtype == np.float32
    assert np.allclose(few, expected, atol=1e-5)
    assert np.allclose(many, expected, atol=1e-5)
