import numpy as np
import pytest

from db.blobs import from_blob, to_blob
from db.errors import DamagedVectorError
from tests.support.galleries import made_up_vector


def test_a_vector_comes_back_as_it_was() -> None:
    vector = made_up_vector(1)
    assert np.array_equal(from_blob(to_blob(vector), 128), vector)


def test_the_bytes_are_little_endian_float32() -> None:
    vector = np.zeros(128, dtype=np.float32)
    vector[0] = 1.0
    assert to_blob(vector)[:4] == b"\x00\x00\x80\x3f"
    assert len(to_blob(vector)) == 512


def test_a_blob_of_another_length_is_refused() -> None:
    with pytest.raises(DamagedVectorError, match="512 bytes, this blob has 511"):
        from_blob(bytes(511), 128)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_goes_neither_in_nor_out(value: float) -> None:
    vector = made_up_vector(1)
    vector[7] = value
    with pytest.raises(DamagedVectorError, match="NaN or infinity"):
        to_blob(vector)
    with pytest.raises(DamagedVectorError, match="NaN or infinity"):
        from_blob(vector.astype("<f4").tobytes(), 128)


@pytest.mark.parametrize("value", [0.0, 3e38, -1e9])
def test_what_no_net_makes_of_a_face_does_not_go_out(value: float) -> None:
    with pytest.raises(DamagedVectorError, match="too large for an encoding, or only zeros"):
        from_blob(np.full(128, value, "<f4").tobytes(), 128)


def test_a_vector_of_another_shape_is_refused() -> None:
    with pytest.raises(DamagedVectorError, match=r"this has \(2, 64\)"):
        to_blob(np.zeros((2, 64), dtype=np.float32))
