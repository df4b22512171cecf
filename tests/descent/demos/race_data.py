"""Measure the race: ``python tests/descent/demos/race_data.py`` rewrites ``race.json``.

For each landscape and rule, the rate of the sweep with the lowest mean loss, and the path it
takes, as the demo's own JavaScript computes them; and the fewest steps that the reference's rules
need with the rate tuned alone, and with momentum tuned as well.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import descent.demos
import numpy as np
from descent.demos.landscapes import BALANCED, LANDSCAPES, TURNED_RAVINE, Landscape
from descent.demos.race import NUM_STEPS, RULES, SWEEP
from descent_solutions import optimizers

FOLDER = Path(descent.demos.__file__).parent
PROGRAM = """
import { readFileSync } from "node:fs";
const job = JSON.parse(readFileSync(0, "utf8"));
const { module, sweep, starts, balanced, views, rules, steps } = job;
const { LANDSCAPES, path, score } = await import(module);
const rates = {}, paths = {};
const quiet = new Array(2 * steps).fill(0);
const digits = (v) => Number(v.toPrecision(5));
function points(rule, name, start) {
  const { x, y } = path(rule, LANDSCAPES[name], start, rates[name][rule], 0.9, quiet, steps);
  return x.map((_, i) => [digits(x[i]), digits(y[i])]);
}
for (const [name, start] of Object.entries(starts)) {
  rates[name] = {};
  paths[name] = {};
  for (const rule of rules) {
    const scores = sweep.map((rate) => score(rule, name, start, rate, 0.9, steps, views[name]));
    rates[name][rule] = sweep[scores.indexOf(Math.min(...scores))];
    paths[name][rule] = points(rule, name, start);
  }
}
paths.balanced = {};
for (const rule of rules) paths.balanced[rule] = points(rule, "saddle", balanced);
process.stdout.write(JSON.stringify({ rates, paths }));
"""


def measure() -> str:
    """Return the measured rates and paths as JSON text."""
    job = {
        "module": (FOLDER / "modules" / "optimizer_race.mjs").as_uri(),
        "sweep": SWEEP,
        "starts": {name: landscape.start for name, landscape in LANDSCAPES.items()},
        "balanced": BALANCED,
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
    grounds = {"ravine": LANDSCAPES["ravine"], "turned": TURNED_RAVINE, **LANDSCAPES}
    steps = {
        name: {rule: needed(rule, ground) for rule in RULES} for name, ground in grounds.items()
    }
    return json.dumps({**json.loads(run.stdout), "steps": steps}, separators=(",", ":")) + "\n"


#: What each rule calls its momentum, if it has one.
MOMENTUM = {"momentum": "mu", "nesterov": "mu", "adam": "beta1"}


def needed(rule: str, ground: Landscape) -> dict[str, int]:
    """Return the fewest steps with the usual momentum, and with a tuned one."""
    name = MOMENTUM.get(rule)
    if name is None:
        return dict.fromkeys(("usual", "tuned"), fewest(rule, ground, {}))
    tuned = [fewest(rule, ground, {name: tenths / 10}) for tenths in range(1, 10)]
    return {"usual": tuned[-1], "tuned": min(tuned)}


def fewest(rule: str, ground: Landscape, settings: dict[str, float]) -> int:
    """Return the fewest steps, over the sweep, that leave a thousandth of the loss for good.

    All rates run side by side, a column each; those whose path leaves the picture don't count.
    """
    rates = np.array(SWEEP)
    low, high = np.transpose(ground.view)[:, :, None]
    w = np.repeat(np.array(ground.start)[:, None], len(rates), axis=1)
    state: Any = None
    first = ground.value(w) - ground.lowest
    last, within = np.zeros(len(rates)), np.ones(len(rates), dtype=bool)
    with np.errstate(all="ignore"):
        for step in range(1, NUM_STEPS + 1):
            w, state = getattr(optimizers, rule)(
                w, ground.slope(w), state, learning_rate=rates, **settings
            )
            within &= ((w >= low) & (w <= high)).all(axis=0)
            last = np.where(ground.value(w) - ground.lowest > 1e-3 * first, step, last)
    taken = last[within & (last < NUM_STEPS)] + 1
    return int(taken.min())


if __name__ == "__main__":
    (FOLDER / "race.json").write_text(measure(), encoding="utf-8")
