"""Runs an agent's work under the configuration in force, and changes it on command.

A new configuration is on trial first. It is accepted as soon as every device
that answered before has answered again, or at the end of the trial if most
have (`answers.fault`); otherwise the agent goes back. Spool and uplink are not
part of this: they go on, and so does what a local broker holds for the agent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final

from campuswatch.configuration.document import ConfigurationError
from campuswatch.errors import UserError
from campuswatch.units import UnitError
from edge_agents.assignment import Assignment
from edge_agents.configuration.answers import Answers, fault
from edge_agents.configuration.custody import Custody, Version

log = logging.getLogger(__name__)

Build = Callable[[Assignment, Answers], Callable[[], Coroutine[None, None, None]]]
"""Prepares what an assignment asks for; what it returns does it until cancelled."""

_STARTS: Final = 3  # of one trial: an agent that ends each time was ended by it
_WAITING: Final = 16  # commands; a broker that has more sends the retained one again
_UNUSABLE: Final = (UserError, UnitError, ConfigurationError, OSError)


class _Work:
    """An assignment that is being done, or None at all."""

    def __init__(
        self,
        assignment: Assignment | None,
        answers: Answers,
        run: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        self.assignment = assignment
        self.answers = answers
        self.started = time.monotonic()
        self.task = asyncio.create_task(run())

    @property
    def asked(self) -> dict[str, float]:
        """The interval, in seconds, of each device that is asked; others speak when they like."""
        devices = self.assignment.devices if self.assignment else []
        return {
            device.id: device.interval.total_seconds()
            for device in devices
            if device.address or not device.mqtt
        }

    @property
    def longest_interval(self) -> float:
        """Seconds in which each device is asked once."""
        return max(self.asked.values(), default=0.0)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class Supervisor:
    """Has an agent do what the configuration in force says.

    Args:
        build: prepares an assignment's work.
        local: the assignment of the agent's own files, if it has any.
        custody: what was pushed; None for an agent that nothing is pushed to.
        trial: seconds in which devices have to answer a new configuration.
    """

    def __init__(
        self, build: Build, local: Assignment | None, custody: Custody | None, trial: float
    ) -> None:
        self._build = build
        self._local = local
        self._custody = custody
        self._trial = trial
        self._commands: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)

    def receive(self, payload: bytes) -> None:
        """Take a message of the command topic; an empty one clears the topic and says nothing."""
        if not payload:
            return
        try:
            self._commands.put_nowait(payload)
        except asyncio.QueueFull:
            log.warning("command passed over: too many wait")

    def report(self) -> dict[str, object] | None:
        """Return what the status tells of configurations; None if nothing is pushed."""
        if self._custody is None:
            return None
        state = self._custody.state
        return {
            "version": state.current.number if state.current else None,
            "sha256": state.current.sha256 if state.current else None,
            "trial": state.trial.version.number if state.trial else None,
            "refused": state.refused.model_dump() if state.refused else None,
        }

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            UserError: a secret of the configuration in force is missing.
        """
        if self._custody is None:
            work = self._start(self._local)
        else:
            work = await self._resume(self._custody)
        try:
            while True:
                payload = await self._next_command(work)
                if self._custody is not None:
                    work = await self._change(self._custody, work, payload)
        finally:
            await work.stop()

    async def _next_command(self, work: _Work) -> bytes:
        command = asyncio.create_task(self._commands.get())
        try:
            await asyncio.wait([command, work.task], return_when=asyncio.FIRST_COMPLETED)
            if work.task.done():
                work.task.result()
            return await command
        finally:
            command.cancel()

    def _start(self, assignment: Assignment | None) -> _Work:
        if assignment is None:
            log.warning("no configuration yet: waiting for the district's")
            return _Work(None, Answers(), _wait_for_ever)
        return self._prepare(assignment)()

    def _prepare(self, assignment: Assignment) -> Callable[[], _Work]:
        answers = Answers()
        return partial(_Work, assignment, answers, self._build(assignment, answers))

    async def _resume(self, custody: Custody) -> _Work:
        """Begin as the agent's last run ended."""
        trial = custody.state.trial
        if trial is None:
            return await self._start_in_force(custody)
        if trial.starts >= _STARTS:
            reason = f"the agent ended {trial.starts} times while it was tried"
            return await self._roll_back(custody, trial.version, reason)
        try:
            candidate = await asyncio.to_thread(custody.load, trial.version)
            start = self._prepare(candidate)
            return await self._try(custody, trial.version, start, set(trial.answering))
        except _UNUSABLE as error:
            return await self._roll_back(custody, trial.version, str(error))

    async def _start_in_force(self, custody: Custody) -> _Work:
        """Start what counts: the current configuration, or what can be had instead."""
        for version in (custody.state.current, custody.state.previous):
            if version is None:
                continue
            try:
                return self._start(await asyncio.to_thread(custody.load, version))
            except _UNUSABLE as error:
                log.error(
                    "configuration unusable: version=%d reason=%r", version.number, str(error)
                )
                custody.note_refusal(f"version {version.number} is kept but unusable: {error}")
        return self._start(self._local)

    async def _change(self, custody: Custody, work: _Work, payload: bytes) -> _Work:
        try:
            version = await asyncio.to_thread(custody.take, payload)
        except (ConfigurationError, OSError) as error:
            log.warning("configuration refused: reason=%r", str(error))
            custody.note_refusal(str(error))
            return work
        if version is None:
            return work
        try:
            start = self._prepare(await asyncio.to_thread(custody.load, version))
        except _UNUSABLE as error:
            log.warning("configuration refused: version=%d reason=%r", version.number, str(error))
            await asyncio.to_thread(custody.refuse, version, str(error))
            return work
        await self._settle(work)
        answering = set(work.answers.up)
        await work.stop()
        return await self._try(custody, version, start, answering)

    async def _settle(self, work: _Work) -> None:
        """Let each device be asked once, so that it is known who answers."""
        end = work.started + min(work.longest_interval, self._trial)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, end - time.monotonic())):
                await asyncio.wait([work.task])

    async def _try(
        self, custody: Custody, version: Version, start: Callable[[], _Work], answering: set[str]
    ) -> _Work:
        await asyncio.to_thread(custody.begin_trial, version, answering)
        log.info("configuration on trial: version=%d answering=%d", version.number, len(answering))
        work = start()
        try:
            reason = await self._judge(work, answering)
        except asyncio.CancelledError:
            await work.stop()
            raise
        if reason is not None:
            await work.stop()
            return await self._roll_back(custody, version, reason)
        await asyncio.to_thread(custody.accept, version)
        log.info("configuration accepted: version=%d", version.number)
        return work

    async def _judge(self, work: _Work, answering: set[str]) -> str | None:
        """Return why a configuration on trial is to be given back; None if it is not."""
        wanted = answering & work.asked.keys()
        done = asyncio.create_task(_until_all_answer(work.answers, wanted))
        longest = max(self._trial, 2 * work.longest_interval) if answering else 0.0
        try:
            await asyncio.wait(
                [done, work.task], timeout=longest, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            done.cancel()
        if work.task.done():
            error = work.task.exception()
            return f"its sources ended: {error or 'without a word'}"
        return fault(answering, set(work.asked), work.answers.seen)

    async def _roll_back(self, custody: Custody, version: Version, reason: str) -> _Work:
        log.warning("configuration rolled back: version=%d reason=%r", version.number, reason)
        await asyncio.to_thread(custody.refuse, version, reason, rolled_back=True)
        return await self._start_in_force(custody)


async def _until_all_answer(answers: Answers, wanted: set[str]) -> None:
    """Return once all have answered; with none to wait for, once any has."""
    while not (wanted <= answers.seen and answers.seen):
        answers.news.clear()
        await answers.news.wait()


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()
