"""Makes `descent/plots/optimizers/heat_map.json`: how the reference rules do in their unit tests.

    python -m descent_autograder.publishing.data_files.heat_map

A lesson shows the heat map before its readers have written a rule of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from descent.plots.optimizers import heat_map
from descent_solutions import optimizers as reference

RULES: dict[str, Any] = {
    "SGD": reference.sgd,
    "momentum": reference.momentum,
    "Nesterov": reference.nesterov,
    "Adagrad": reference.adagrad,
    "Adagrad without root": reference.adagrad_without_root,
    "RMSprop": reference.rmsprop,
    "Adam uncorrected": reference.adam_uncorrected,
    "Adam": reference.adam,
}


def measured() -> dict[str, Any]:
    """Rate and outcomes of each rule, as plain data."""
    return {name: list(heat_map.run_all(rule)) for name, rule in RULES.items()}


def main() -> None:
    """Write the file."""
    path = Path(heat_map.__file__).with_suffix(".json")
    rows = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in measured().items()]
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
