"""What a host hands over to the program that it starts, and what it tells of its output and its end."""

import inspect
from typing import Any, Final

from agentrelay_core.runtime import IntegrationError
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.host_checks import IDLE, HostChecks
from pytest_agentrelay.compliance.hostile import hostile_instructions

# Arguments that a shell in between would take apart.
ARGUMENTS: Final = (
    "plain",
    "two words",
    "",
    "a'b\"c",
    "semi;colon",
    "$HOME `id` $(id)",
    "line\nbreak",
    "Ä語🧪",
    "*",
    "-n",
)
CODE: Final = 7


class StartingChecks(HostChecks):
    """What a program is given, and what is told of it."""

    def test_runs_in_the_worktree(self) -> None:
        """A program is started in the task's worktree."""

        async def work() -> None:
            async with self._bench() as bench:
                context = self._context()
                address = await self._start(bench, context, "sh", "-c", "pwd -P")
                await bench.ended(address)
                worktree = context.runtime.state.worktree_path
                assert worktree is not None
                output = await bench.ask("output", address)
                if str(worktree.resolve()).encode() not in output:
                    fault(
                        f"{name_of(bench.host, 'start')} ran the program in {output!r}.",
                        f"run it in runtime.state.worktree_path ({worktree}).",
                    )

        self.run(work)

    def test_hands_over_arguments(self) -> None:
        """Every argument arrives as it is: no shell takes apart quotes, spaces, newlines or semicolons."""
        wanted = "".join(f"<{argument}>" for argument in ARGUMENTS).encode()
        self.run(
            lambda: self._arrives(
                wanted, "arguments", "sh", "-c", 'printf "<%s>" "$@"', "sh", *ARGUMENTS,
                remedy="pass command.argv as a list; where a shell is in between, quote each with shlex.quote.",
            )
        )  # fmt: skip

    def test_hands_over_variables(self) -> None:
        """The variables of the command are the program's environment, whatever is in their values."""
        value = "a b;c'd\"e\nÄ語"
        self.run(
            lambda: self._arrives(
                f"<{value}>".encode(), "variables", "sh", "-c", 'printf "<%s>" "$CHECKED"', env={"CHECKED": value},
                remedy="give the program command.env as its whole environment, by file or descriptor, not typed.",
            )
        )  # fmt: skip

    def test_hands_over_standard_input(self) -> None:
        """64 KiB of standard input arrive byte for byte, and then end."""
        path = self.place / "input"
        path.write_bytes(hostile_instructions())
        self.run(
            lambda: self._arrives(
                hostile_instructions(), "standard input", "cat", stdin=path,
                remedy="open command.stdin in binary as the program's standard input; None is an empty one.",
            )
        )  # fmt: skip

    async def _arrives(self, wanted: bytes, what: str, *argv: str, remedy: str, **more: Any) -> None:
        async with self._bench() as bench:
            address = await self._start(bench, self._context(), *argv, **more)
            await bench.ended(address)
            output = await bench.ask("output", address)
            if output != wanted:
                at = next((n for n, pair in enumerate(zip(output, wanted, strict=False)) if pair[0] != pair[1]), None)
                at = min(len(output), len(wanted)) if at is None else at
                fault(
                    f"{name_of(bench.host, 'start')} changes {what}: of {len(wanted)} bytes {len(output)} arrived; "
                    f"at byte {at} is {output[at : at + 20]!r}, due is {wanted[at : at + 20]!r}.",
                    remedy,
                )

    def test_output_is_told_while_it_runs(self) -> None:
        """`output` tells what a program that still runs has printed so far."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._start(bench, self._context(), *IDLE)
                if not await bench.printed(address, b"ready", self.patience):
                    fault(
                        f"{name_of(bench.host, 'output')} does not tell what a running program printed "
                        f"{self.patience:g} s ago.",
                        "let the program write straight into agent.log, and read that.",
                    )

        self.run(work)

    def test_teardown_saves_the_log(self) -> None:
        """`address.teardown(signal_dir)` leaves what was printed as ``agent.log`` in that directory."""

        async def work() -> None:
            async with self._bench() as bench:
                context = self._context()
                address = await self._start(bench, context, "sh", "-c", "echo said")
                await bench.ended(address)
                signal_dir = context.runtime.state.signal_dir
                assert signal_dir is not None
                teardown: Any = address.teardown
                ended = (
                    teardown(signal_dir) if not inspect.iscoroutinefunction(teardown) else await teardown(signal_dir)
                )
                if inspect.isawaitable(ended):
                    await ended
                log = signal_dir / "agent.log"
                if not log.is_file() or b"said" not in log.read_bytes():
                    fault(
                        f"{name_of(address, 'teardown')} left no agent.log with what was printed in {signal_dir}.",
                        "write it to signal_dir / 'agent.log': `agentrelay logs` shows it.",
                    )

        self.run(work)

    def test_exit_code_is_told(self) -> None:
        """`wait` returns the program's exit code."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._start(bench, self._context(), "sh", "-c", f"exit {CODE}")
                code = await bench.ended(address)
                if code != CODE and not (code is None and "remote" in self.capabilities):
                    fault(
                        f"{name_of(bench.host, 'wait')} says {code!r} for a program that ended with exit {CODE}.",
                        "return the code that the program ended with (the negative number of a signal); "
                        "None only where it cannot be known.",
                    )

        self.run(work)

    def test_missing_program_is_told(self) -> None:
        """A program that is not there makes `start` raise an IntegrationError, or its exit code is not 0."""

        async def work() -> None:
            async with self._bench() as bench:
                try:
                    address = await bench.start(self._context(), "no-such-program-anywhere", "argument")
                except IntegrationError:
                    return
                except Exception as error:
                    fault(
                        f"{name_of(bench.host, 'start')} {raised(error)} for a program that is not installed.",
                        "raise AgentFailure(f'program {argv[0]} not found on PATH'), which reads as a sentence.",
                    )
                code = await bench.ended(address)
                if code == 0:
                    fault(
                        f"{name_of(bench.host, 'wait')} says exit 0 for a program that is not installed.",
                        "return the exit code of the program itself, or raise AgentFailure in `start`.",
                    )

        self.run(work)

    def test_refuses_missing_paths(self) -> None:
        """`start` without a worktree or a signal directory raises a ValueError that names the field."""
        for field in ("worktree_path", "signal_dir"):

            async def work(field: str = field) -> None:
                async with self._bench() as bench:
                    context = self._context(field.replace("_", "-"))
                    environment = {"PATH": "/usr/bin:/bin"}
                    setattr(context.runtime.state, field, None)
                    from agentrelay_core.hooks import AgentCommand

                    said = "returned"
                    try:
                        address = await bench.ask("start", AgentCommand(argv=IDLE, env=environment), context)
                        bench.started.append((address, context.runtime))
                    except ValueError as error:
                        if field in str(error):
                            return
                        said = f"{raised(error)}, which does not name the field"
                    except Exception as error:
                        said = raised(error)
                    fault(
                        f"{name_of(bench.host, 'start')} was called with {field}=None and {said}.",
                        f'raise ValueError("{field} of task … is not set; …") before anything is started.',
                    )

            self.run(work)
