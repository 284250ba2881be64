"""How a world's time goes on: by its agenda alone, by itself or together with other worlds."""

from abc import ABC, abstractmethod

from emulator.runtime.agenda import Agenda, Entry
from emulator.runtime.box import Box
from emulator.runtime.doze import SharedMoment, is_dozing, next_waking, pass_over
from emulator.runtime.scene import Scene


class MovingWorld(ABC):
    """The time of a world.

    A world that moves together with others comes to their moment only when somebody turns to it:
    a thousand homes at rest need not be told what time it is.
    """

    def __init__(self, scene: Scene) -> None:
        """Take what all parts of the world share."""
        self._scene = scene
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
    def agenda(self) -> Agenda:
        """What will happen; whoever takes an entry of it has it `happen`, or puts it back."""
        return self._scene.agenda

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
        self.happen(self._scene.agenda.pop())

    @abstractmethod
    def happen(self, entry: Entry) -> None:
        """Let an entry that was taken from the agenda happen, at its moment."""

    def _live_on(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``, windows as well."""
        take = self._scene.agenda.take
        while (entry := take(at_us)) is not None:
            self.happen(entry)

    def run_until(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``."""
        if not self._dozes:
            self._live_on(at_us)
            scene = self._scene
            scene.now_us = max(scene.now_us, at_us)
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
