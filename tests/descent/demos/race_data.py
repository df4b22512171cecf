"""Measure the race: ``python tests/descent/demos/race_data.py`` rewrites ``race.json``.

For each landscape and rule, the rate of the sweep with the lowest mean loss, and the path it
takes, as the demo's own JavaScript computes them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import descent.demos
from descent.demos.landscapes import LANDSCAPES
from descent.demos.race import NUM_STEPS, RULES, SWEEP

FOLDER = Path(descent.demos.__file__).parent
PROGRAM = """
import { readFileSync } from "node:fs";
const { module, sweep, starts, views, rules, steps } = JSON.parse(readFileSync(0, "utf8"));
const { LANDSCAPES, path, score } = await import(module);
const rates = {}, paths = {};
for (const [name, start] of Object.entries(starts)) {
  rates[name] = {};
  paths[name] = {};
  for (const rule of rules) {
    const scores = sweep.map((rate) => score(rule, name, start, rate, 0.9, steps, views[name]));
    const rate = sweep[scores.indexOf(Math.min(...scores))];
    rates[name][rule] = rate;
    const quiet = new Array(2 * steps).fill(0);
    const { x, y } = path(rule, LANDSCAPES[name], start, rate, 0.9, quiet, steps);
    paths[name][rule] = x.map((_, i) => [Number(x[i].toPrecision(5)), Number(y[i].toPrecision(5))]);
  }
}
process.stdout.write(JSON.stringify({ rates, paths }));
"""


def measure() -> str:
    """Return the measured rates and paths as JSON text."""
    job = {
        "module": (FOLDER / "modules" / "optimizer_race.mjs").as_uri(),
        "sweep": SWEEP,
        "starts": {name: landscape.start for name, landscape in LANDSCAPES.items()},
        "views": descent.demos.race().data["views"],
        "rules": RULES,
        "steps": NUM_STEPS,
    }
    run = subprocess.run(
        ["node", "--input-type=module", "--eval", PROGRAM],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout + "\n"


if __name__ == "__main__":
    (FOLDER / "race.json").write_text(measure(), encoding="utf-8")
