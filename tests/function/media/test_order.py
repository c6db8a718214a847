"""Names are put in the order in which people count."""

from function.media.order import natural_key


def test_numbers_count_by_their_value_and_case_does_not() -> None:
    names = ["img10.jpg", "IMG9.jpg", "img1.jpg", "b.jpg", "A.jpg"]
    assert sorted(names, key=natural_key) == [
        "A.jpg",
        "b.jpg",
        "img1.jpg",
        "IMG9.jpg",
        "img10.jpg",
    ]


def test_a_name_of_digits_without_end_can_be_ordered() -> None:
    assert sorted(["9" * 5000, "1"], key=natural_key) == ["1", "9" * 5000]
