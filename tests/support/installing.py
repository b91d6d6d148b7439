"""Clean environments, and wheels to install into them: what tests of installed distributions share."""

import os
import subprocess
import venv
import zipfile

# What the developer's own shell, and the tox and pytest that run us, say to us and not to what we start.
OURS = ("AGENTRELAY_", "PYTHONPATH", "PYTEST_", "TOX_", "VIRTUAL_ENV")


def run(*command, cwd=None, env=None, expect=0):
    """Run a program to its end; gives what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(command, cwd=cwd, env={**clean, **(env or {})}, capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Environment:
    """A clean virtual environment."""

    def __init__(self, path):
        self.bin = path / "bin"
        if not path.exists():
            venv.create(path, with_pip=True)

    def install(self, *what):
        self.python("-m", "pip", "install", "-q", *map(str, what))

    def python(self, *arguments, **more):
        return run(self.bin / "python", *arguments, **more)

    def agentrelay(self, *arguments, **more):
        done = run(self.bin / "agentrelay", *arguments, **more)
        assert "Traceback" not in done.stderr
        return done


def make_repository(path, graph):
    """A repository with a graph in its first commit."""
    path.mkdir()
    (path / "agentrelay.yaml").write_text(graph)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=u", "-c", "user.email=u@e", "commit", "-qm", "1"]):
        run("git", *command, cwd=path)
    return path


def make_wheel(place, name, source, *, point="it"):
    """A wheel of one module, as a build backend leaves it, in no time."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-1.0.dist-info"
    path = place / f"{module}-1.0-py3-none-any.whl"
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[agentrelay.v1]\n{point} = {module}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path
