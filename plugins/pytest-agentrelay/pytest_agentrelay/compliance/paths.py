"""What a step does that is called too early: it says which path is missing, before anything is done."""

import asyncio
from typing import ClassVar

from agentrelay_core.task_runner.calls import call_step
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.steps import StepCompliance


class PathChecks(StepCompliance):
    """What holds for a step that works in directories which an earlier one made.

    Attributes:
        required: Fields of ``runtime.state`` without which the step refuses to work.
    """

    required: ClassVar[tuple[str, ...]] = ()

    def test_refuses_missing_paths(self) -> None:
        """Called before a path that it needs is set, the step raises a ValueError that names the field."""
        for number, field in enumerate(self.required):
            self.run(lambda number=number, field=field: self._refused(f"no{number}", field))  # type: ignore[misc]

    async def _refused(self, name: str, field: str) -> None:
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        arguments = await self.before(runtime)
        kept = getattr(runtime.state, field)
        setattr(runtime.state, field, None)
        said = "returned"
        try:
            async with asyncio.timeout(self.patience):
                await call_step(None, step, self.method, runtime, *arguments)
        except ValueError as error:
            if field in str(error):
                return
            said = f"{raised(error)}, which does not name the field"
        except TimeoutError:
            said = "went on waiting"
        except Exception as error:
            said = raised(error)
        finally:
            setattr(runtime.state, field, kept)
            await self.after(runtime, None)
        fault(
            f"{name_of(step, self.method)} was called with {field}=None and {said}.",
            f'raise ValueError("{field} of task … is not set; …") before anything else is done.',
        )
