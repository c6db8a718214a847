from function.media.schedule import Schedule, length_of, missed_by_all


def test_a_moment_is_met_by_the_first_picture_from_then_on() -> None:
    schedule = Schedule()
    schedule.expect([0.0, 1.0], begins=True)
    assert schedule.take(-0.1) is None
    assert schedule.take(0.0) == 0.0
    assert schedule.take(0.5) is None
    assert schedule.take(1.2) == 1.2
    assert schedule.missed() == []


def test_what_an_ended_group_owes_is_missed() -> None:
    schedule = Schedule()
    schedule.expect([0.0], begins=True)
    schedule.take(0.0)
    schedule.expect([1.0], begins=True)
    schedule.expect([2.0], begins=True)
    schedule.take(2.0)
    assert schedule.missed() == [(0.5, 1.5)]


def test_a_picture_that_comes_after_several_moments_meets_only_the_last() -> None:
    schedule = Schedule()
    schedule.expect([0.0, 1.0, 2.0, 3.0], begins=True)
    schedule.take(0.0)
    schedule.take(3.0)
    assert schedule.missed() == [(0.5, 1.5), (1.5, 2.5)]


def test_a_field_may_be_early() -> None:
    schedule = Schedule()
    schedule.expect([1.0], begins=True)
    assert schedule.take(0.98) is None
    assert schedule.take(0.98, early=0.03) == 0.98


def test_after_beginning_again_no_moment_is_sampled_twice() -> None:
    schedule = Schedule()
    schedule.expect([0.0, 1.0], begins=True)
    schedule.take(0.0)
    schedule.begin_again()
    schedule.expect([0.0, 0.5, 1.0], begins=True)
    assert schedule.take(0.0) is None
    assert schedule.take(0.5) == 0.5


def test_groups_that_give_nothing_make_a_file_a_liar_unless_others_give_something() -> None:
    for succeeded, lies in ((1, True), (2, False)):
        schedule = Schedule()
        for number in range(succeeded):
            schedule.expect([float(number)], begins=True)
            schedule.take(float(number))
            assert not schedule.end_group()
        for number in (10.0, 11.0, 12.0):
            schedule.expect([number], begins=True)
            ended = schedule.end_group()
        assert ended is lies


def test_what_overlaps_is_counted_once() -> None:
    assert length_of([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]) == 4.0


def test_what_one_schedule_missed_is_as_short_as_the_moments_of_all_of_them_say() -> None:
    first, second = Schedule(), Schedule()
    for schedule, moments in ((first, (0.0, 4.0, 8.0)), (second, (2.0, 6.0, 10.0))):
        for moment in moments:
            schedule.expect([moment], begins=True)
            if moment != 4.0:
                schedule.take(moment)
    assert first.missed() == [(2.0, 6.0)]
    assert missed_by_all([first, second]) == [(3.0, 5.0)]
