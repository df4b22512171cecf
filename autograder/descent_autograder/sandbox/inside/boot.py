"""Starts the student's zygote: run as a script by a bare interpreter (``python -I -S boot.py``).

It finds its own package by its place, so that the folder above it need not be in sight.
"""

import importlib.util
import json
import sys
from pathlib import Path


def main() -> None:
    """Load the package this file lies in as ``descent_inside`` and hand over to the zygote."""
    settings = json.loads(sys.argv[1])
    sys.path[:] = [*sys.path, *settings["path"]]
    here = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        "descent_inside", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["descent_inside"] = package
    spec.loader.exec_module(package)
    if settings["wall"] != "namespaces":
        importlib.import_module("descent_inside.reaper").stand_by(settings)
    importlib.import_module("descent_inside.zygote").main(settings)


if __name__ == "__main__":
    main()
