"""How a world's time goes on: by its agenda alone, by itself or together with other worlds."""

from collections.abc import Callable
from typing import Any

from emulator.runtime.agenda import Entry
from emulator.runtime.box import Box
from emulator.runtime.doze import SharedMoment, is_dozing, next_waking, pass_over
from emulator.runtime.scene import Scene


class Halt:
    """Whether those that move a world are to look up from it before anything more happens."""

    __slots__ = ("called",)

    def __init__(self) -> None:
        self.called = False


class MovingWorld:
    """The time of a world.

    A world that moves together with others comes to their moment only when somebody turns to it:
    a thousand homes at rest need not be told what time it is.
    """

    def __init__(self, scene: Scene) -> None:
        """Take what all parts of the world share."""
        self._scene = scene
        #: What lets an entry of the agenda happen, by its kind: given its box and what it needs.
        self._entries: dict[str, Callable[[int, Any], None]] = {}
        self._shared: SharedMoment | None = None
        self._dozes = False

    def share(self, moment: SharedMoment, *, dozes: bool) -> None:
        """Move together with other worlds from now on.

        Args:
            moment: Their present moment.
            dozes: Whether windows in which nothing comes of anything may be passed over.
        """
        self._shared, self._dozes = moment, dozes

    def _come(self) -> None:
        """Come to the moment of the worlds that move together: somebody turns to this one."""
        shared = self._shared
        if shared is not None and shared.us > self._scene.now_us:
            self.pass_time(shared.us)

    @property
    def dozes(self) -> bool:
        """Whether windows in which nothing comes of anything may be passed over."""
        return self._dozes

    @property
    def now_us(self) -> int:
        """The present moment, microseconds since 1970."""
        self._come()
        return self._scene.now_us

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes; the hub is the first."""
        self._come()
        return self._scene.boxes

    @property
    def is_disturbed(self) -> bool:
        """Whether any fault is in force."""
        return self._scene.schedule.is_at_work

    def next_due(self) -> int | None:
        """Return when (microseconds since 1970) the next thing happens; None when nothing will."""
        scene = self._scene
        due_us = scene.agenda.next_due()
        if due_us is not None and self._dozes and is_dozing(scene):
            return next_waking(scene)
        return due_us

    def step(self) -> None:
        """Let the next thing happen; ask `next_due` first."""
        scene = self._scene
        if self._dozes and is_dozing(scene):
            due_us = next_waking(scene)
            if due_us is not None and pass_over(scene, due_us):
                self._live_on(due_us - 1)
        self._step()

    def _step(self) -> None:
        """Let the first entry of the agenda happen."""
        self._happen(self._scene.agenda.pop())

    def _happen(self, entry: Entry) -> None:
        """Let an entry that was taken from the agenda happen, at its moment."""
        due_us, _sequence, kind, box, what = entry
        scene = self._scene
        scene.now_us = max(scene.now_us, due_us)
        self._entries[kind](box, what)

    def _live_on(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``, windows as well."""
        take = self._scene.agenda.take
        while (entry := take(at_us)) is not None:
            self._happen(entry)

    def run_on(
        self,
        last_us: int,
        now_us: int,
        base_us: int,
        leap: Callable[[float], bool],
        halt: Halt,
    ) -> bool | None:
        """Let one thing happen after the other, for as long as nothing else comes between.

        What `step` does to a world that does not doze, without asking anew what is due.

        Args:
            last_us: Last moment of which anything may happen.
            now_us: The present moment of the loop that the world moves with.
            base_us: What that loop's time counts from.
            leap: Moves the loop on to a time in seconds; says whether nothing of it comes before.
            halt: Looked at before each thing.

        Returns:
            True: halted; False: the loop has something to do first; None: nothing is due.
        """
        scene, entries = self._scene, self._entries
        agenda = scene.agenda
        take = agenda.take
        while not halt.called:
            entry = take(last_us)
            if entry is None:
                return None
            due_us, _sequence, kind, box, what = entry
            if due_us > now_us:
                if not leap((due_us - base_us) / 1_000_000):
                    agenda.put_back(entry)
                    return False
                now_us = due_us
            if due_us > scene.now_us:  # noqa: PLR1730 -- `max` is a call
                scene.now_us = due_us
            entries[kind](box, what)
        return True

    def run_until(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``."""
        if not self._dozes:
            scene = self._scene
            while (entry := scene.agenda.take(at_us)) is not None:
                self._happen(entry)
            if at_us > scene.now_us:  # noqa: PLR1730 -- `max` is a call
                scene.now_us = at_us
            return
        while (due := self.next_due()) is not None and due <= at_us:
            self.step()
        self.pass_time(at_us)

    def pass_time(self, at_us: int) -> None:
        """Move the present moment on to ``at_us``; everything due before has happened."""
        scene = self._scene
        if self._dozes and pass_over(scene, at_us):
            self._live_on(at_us)
        scene.now_us = max(scene.now_us, at_us)
