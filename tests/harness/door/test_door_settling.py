"""How long the world moves: until all is answered, quiet, and past every moment that was named."""

from emulator.core.clock import UtcMs
from harness.door.settling import DAY_MS, HOUR_MS, IDLE_LEG_MS, LEG_MS, Agenda, Patience

NOW = UtcMs(1_767_600_000_000)


def later(ms: int) -> UtcMs:
    return UtcMs(NOW + ms)


def test_a_fresh_agenda_is_at_rest() -> None:
    assert Agenda().at_rest(NOW, set())


def test_an_awaited_answer_keeps_the_world_moving_until_it_comes_and_an_hour_more() -> None:
    agenda = Agenda()
    agenda.expect("a", NOW)
    assert not agenda.at_rest(later(DAY_MS), set())
    agenda.hear("a", later(DAY_MS))
    assert not agenda.at_rest(later(DAY_MS), set())
    assert agenda.at_rest(later(DAY_MS + HOUR_MS), set())


def test_what_is_never_answered_is_given_up() -> None:
    agenda = Agenda(Patience(answer_ms=DAY_MS))
    agenda.expect("a", NOW)
    assert not agenda.at_rest(later(DAY_MS - 1), set())
    assert agenda.overdue(later(DAY_MS - 1)) == []
    assert not agenda.at_rest(later(DAY_MS), set()), "it was told to nobody"
    assert agenda.overdue(later(DAY_MS)) == ["a"]
    assert agenda.overdue(later(DAY_MS)) == []
    assert agenda.at_rest(later(DAY_MS), set())


def test_an_image_is_waited_for_while_it_is_under_way() -> None:
    agenda = Agenda(Patience(answer_ms=2 * DAY_MS))
    agenda.expect_image("a", NOW)
    assert not agenda.at_rest(later(DAY_MS), {"a"})
    assert agenda.at_rest(later(2 * DAY_MS), {"a"})
    agenda.expect_image("b", NOW)
    assert agenda.at_rest(later(1), {"other"})


def test_a_named_moment_is_jumped_to_unless_it_is_too_far_ahead() -> None:
    agenda = Agenda()
    agenda.expect("a", NOW, later(5 * DAY_MS))
    agenda.hear("a", NOW)
    assert not agenda.at_rest(later(4 * DAY_MS), set())
    assert not agenda.at_rest(later(5 * DAY_MS), set())
    assert agenda.at_rest(later(5 * DAY_MS + HOUR_MS), set())


def test_a_moment_too_far_ahead_is_not_jumped_to() -> None:
    agenda = Agenda()
    agenda.expect("b", NOW, later(400 * DAY_MS))
    agenda.hear("b", NOW)
    assert agenda.at_rest(later(HOUR_MS), set())


def test_the_world_is_looked_at_often_while_much_happens_and_at_every_named_moment() -> None:
    agenda = Agenda()
    agenda.hear(None, NOW)
    assert agenda.next_look(NOW) == later(LEG_MS)
    assert agenda.next_look(later(HOUR_MS)) == later(HOUR_MS + IDLE_LEG_MS)
    agenda.expect("a", NOW, later(HOUR_MS + 7))
    assert agenda.next_look(later(HOUR_MS)) == later(HOUR_MS + 7)


def test_an_agenda_survives_being_put_down() -> None:
    agenda, fresh = Agenda(), Agenda()
    agenda.expect("a", NOW, later(DAY_MS))
    agenda.expect_image("b", NOW)
    agenda.hear(None, later(5))
    fresh.load(agenda.dump())
    assert fresh.dump() == agenda.dump()
