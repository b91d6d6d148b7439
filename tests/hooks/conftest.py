"""Plugins to test with: real distributions on ``sys.path``, and modules made from text."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentrelay_core.hooks import Catalog, RunInfo

Installer = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    """Installs a distribution with one module, as pip leaves it; gives the module's path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def installed(
        name: str,
        source: str,
        *,
        version: str = "1.0",
        point: str = "it",
        group: str = "agentrelay.v1",
        requires: str = "",
        into: Path = site,
    ) -> Path:
        module = name.replace("-", "_")
        path = into / f"{module}.py"
        path.write_text(textwrap.dedent(source))
        info = into / f"{module}-{version}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        metadata += f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(f"{metadata}\nName: not a header\n")
        if group:
            (info / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n[{group}]\n{point} = {module}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)
        return path

    return installed


@pytest.fixture
def plugin() -> Callable[..., ModuleType]:
    """Makes a module from text, with the usual imports."""

    def made(source: str, name: str = "agentrelay-test") -> ModuleType:
        module = ModuleType(name.replace("-", "_"))
        usual = "import attrs; from agentrelay_core.hooks import *; from agentrelay_core.spec import *\n"
        exec(compile(usual + textwrap.dedent(source), f"<{name}>", "exec"), vars(module))
        return module

    return made


@pytest.fixture
def catalog_of(plugin: Callable[..., ModuleType]) -> Callable[..., Catalog]:
    """Makes a catalog of in-process plugins ``plugin-1`` (version 1.0), ``plugin-2`` …, all of which are sound."""

    def made(*plugins: str | ModuleType, **options: Any) -> Catalog:
        catalog = Catalog(**options)
        for number, item in enumerate(plugins, 1):
            module = plugin(item) if isinstance(item, str) else item
            report = catalog.add(module, name=f"plugin-{number}", version=f"{number}.0")
            assert report.status == "active", report.reason
        return catalog

    return made


@pytest.fixture
def run_info(tmp_path: Path) -> RunInfo:
    """A run to make steps for."""
    return RunInfo(run_id="r1", graph_name="g", repository=None, state_dir=tmp_path)
