"""Plugins: Python files of a person's own, named by a study, that register spaces, blocks, data sources and others."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from experiments.config_problems import at
from search_spaces.errors import UsageError


def load_plugins(paths: object) -> None:
    """Run the Python files that a configuration lists; what is no list of texts is left to its check.

    Raises:
        UsageError: as ``load_plugin``, with the path of the key.
    """
    if isinstance(paths, list | tuple):
        for index, path in enumerate(paths):
            if isinstance(path, str):
                with at(f"plugins[{index}]"):
                    load_plugin(path)


def load_plugin(path: str) -> None:
    """Run the Python file ``path`` once in this process, so that what it registers is found by name.

    Raises:
        UsageError: it is no Python file, or it fails; the message says how.
    """
    file = Path(path).resolve()
    if file.suffix != ".py" or not file.is_file():
        raise UsageError(f"plugin {path!r} is no Python file: give the path of a .py file")
    name = f"nas_plugin:{file}"
    if name in sys.modules:
        return
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        problem = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        raise UsageError(f"plugin {path!r} fails: {problem}") from error
