"""What importing a plugin, and asking what it provides, loads: measured in a fresh interpreter.

Every command of agentrelay imports every installed plugin, so what one of them loads too early all users wait for.
"""

import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

# What of the standard library takes longer to load than a whole declaration.
_HEAVY: Final = frozenset(
    (
        *("asyncio", "concurrent", "ctypes", "email", "ftplib", "http", "imaplib", "multiprocessing", "selectors"),
        *("smtplib", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "tkinter", "unittest", "urllib.request"),
        *("venv", "wsgiref", "xml", "xmlrpc", "zipfile"),
    )
)
_CORE: Final = "agentrelay_core"
_CORE_ROOMS: Final = tuple(f"{_CORE}.{room}" for room in ("cli", "graph", "journal", "orchestrator", "processes"))
# What declarations are made with, and what every declaration may import from.
_LIGHT: Final = frozenset(("attr", "attrs", "pluggy", "typing_extensions", "__mp_main__"))
_SCRIPT: Final = """
import json, sys
from agentrelay_core.hooks import (
    AgentCommand, Catalog, EnvironmentType, ForgeProvider, FrameworkType, Progress, Provider,
    WorkspaceProvider, hookimpl,
)
from agentrelay_core import AgentEnvironment, TaskCompletionSignal
sys.path[:] = json.loads(sys.argv[2])
before = set(sys.modules)
catalog = Catalog()
import importlib
module = importlib.import_module(sys.argv[1])
report = catalog.add(module)
print(json.dumps([report.reason, sorted(set(sys.modules) - before)]))
"""
_DEADLINE: Final = 60.0


class NotImportableError(Exception):
    """The module cannot be imported in a fresh interpreter; the text is what it said."""


def loaded_by(module: str) -> list[str]:
    """The modules that importing a hook module and asking its hooks loads, beyond the core's declarations.

    Args:
        module: The hook module's name.

    Raises:
        NotImportableError: It cannot be imported.
    """
    path = [str(Path(entry).resolve()) for entry in sys.path]
    done = subprocess.run(
        (sys.executable, "-c", _SCRIPT, module, json.dumps(path)),
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise NotImportableError((done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1])
    _, loaded = json.loads(done.stdout.splitlines()[-1])
    return [str(name) for name in loaded]


def heavy(module: str, loaded: Collection[str], declared: Collection[str]) -> list[str]:
    """Which of the loaded modules do not belong into a declaration.

    Args:
        module: The hook module.
        loaded: What was loaded.
        declared: Modules of the data classes that the plugin's records name; they have to be loaded.

    Returns:
        The plugin's own modules one by one; of everything else the topmost package alone.
    """
    package = module if module.startswith(_CORE) else module.partition(".")[0]
    needed = {module, *declared}
    needed |= {parent for name in needed for parent in _parents(name)}
    own = {name for name in loaded if name == package or name.startswith(f"{package}.")}
    others = {top for name in loaded if name not in own and (top := _heavy_part(name))}
    # Another plugin, whose environment or framework is named here, is loaded anyway: what it loads is its own check.
    return [*sorted(own - needed), *sorted(others - {name.partition(".")[0] for name in declared})]


def _heavy_part(name: str) -> str:
    """What is heavy about a module that is not the plugin's own; empty if nothing is."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return next((heavy for heavy in (top, name) if heavy in _HEAVY), "")
    if top == _CORE:
        return next((room for room in _CORE_ROOMS if name.startswith(room)), "")
    return "" if top in _LIGHT else top


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
