"""The demos' shared arithmetic in numpy, in the same order of operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mulberry32(seed: int) -> Callable[[], float]:
    """The generator of ``random.mjs`` in Python's whole numbers."""
    mask = 0xFFFFFFFF
    state = seed

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & mask
        mixed = ((state ^ (state >> 15)) * (state | 1)) & mask
        mixed ^= (mixed + (mixed ^ (mixed >> 7)) * (mixed | 61)) & mask
        return float((mixed ^ (mixed >> 14)) / 2**32)

    return uniform


def nearly_normal(uniform: Callable[[], float]) -> float:
    total = -6.0
    for _ in range(12):
        total += uniform()
    return total


def exp(x: Array) -> Array:
    """The exponential of ``network.mjs``: the same bits."""
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10
    total = np.ones_like(x)
    for n in range(13, 0, -1):
        total = 1 + (r / n) * total
    return np.where(x < -700, 0.0, np.ldexp(total, np.maximum(k, -1022).astype(int)))


def scores_of(net: dict[str, Array], x: Array) -> tuple[Array, Array]:
    """Hidden units and scores, summed from the bias on, one input after the other."""
    pre = np.tile(net["b1"], (len(x), 1))
    for d in range(x.shape[1]):
        pre = pre + x[:, d : d + 1] * net["w1"][d]
    h = np.where(pre > 0, pre, 0.0)
    s = np.tile(net["b2"], (len(x), 1))
    for j in range(h.shape[1]):
        s = s + h[:, j : j + 1] * net["w2"][j]
    return h, s


def length(w: Array) -> float:
    total = 0.0
    for v in w.ravel().tolist():
        total += v * v
    return math.sqrt(total)


def train(data: dict[str, Any], setting: dict[str, Any]) -> dict[str, Any]:
    """``train`` of ``network.mjs``, example by example where sums are taken over examples."""
    inputs, classes, hidden = data["inputs"], data["classes"], setting["hidden"]
    x = np.array(data["x"], dtype=float).reshape(-1, inputs)
    y = np.array(data["y"])
    uniform = mulberry32(setting["seed"])
    scale, decay = setting.get("scale", 1), setting.get("decay", 0)

    def drawn(rows: int, columns: int) -> Array:
        spread = scale * math.sqrt(6 / rows)
        return np.array([spread * (2 * uniform() - 1) for _ in range(rows * columns)]).reshape(
            rows, columns
        )

    net = {"w1": drawn(inputs, hidden), "b1": np.zeros(hidden)}
    net |= {"w2": drawn(hidden, classes), "b2": np.zeros(classes)}
    order = list(range(len(y)))
    run: dict[str, Any] = {"loss": [], "epochLoss": [], "accuracy": [], "ratio1": [], "ratio2": []}
    run["nets"] = [{k: v.copy() for k, v in net.items()}]
    for _ in range(setting["epochs"]):
        for i in range(len(order) - 1, 0, -1):
            j = math.floor(uniform() * (i + 1))
            order[i], order[j] = order[j], order[i]
        total, right = 0.0, 0
        for begin in range(0, len(order), setting["batch"]):
            members = order[begin : begin + setting["batch"]]
            h, s = scores_of(net, x[members])
            right += int((s.argmax(axis=1) == y[members]).sum())
            shifted = s - s.max(axis=1, keepdims=True)
            mine = shifted[range(len(members)), y[members]]
            raised = exp(shifted)
            sums = np.zeros(len(members))
            for c in range(classes):
                sums = sums + raised[:, c]
            batch_loss = 0.0
            for n in range(len(members)):
                batch_loss += math.log(sums[n]) - mine[n]
            target = np.eye(classes)[y[members]]
            ds = (raised / sums[:, None] - target) / len(members)
            dh = np.zeros_like(h)
            for c in range(classes):
                dh = dh + ds[:, c : c + 1] * net["w2"][:, c]
            dh = np.where(h > 0, dh, 0.0)
            g = {name: np.zeros_like(w) for name, w in net.items()}
            for n, member in enumerate(members):
                g["b2"] = g["b2"] + ds[n]
                g["w2"] = g["w2"] + np.outer(h[n], ds[n])
                g["b1"] = g["b1"] + dh[n]
                g["w1"] = g["w1"] + np.outer(x[member], dh[n])
            run["loss"].append(batch_loss / len(members))
            total += batch_loss
            for name, w in net.items():
                pull = decay if name[0] == "w" else 0
                step = setting["rate"] * (g[name] + pull * w)
                if name in ("w1", "w2"):
                    run[f"ratio{name[1]}"].append(length(step) / length(w))
                net[name] = w - step
        run["epochLoss"].append(total / len(order))
        run["accuracy"].append(right / len(order))
        run["nets"].append({k: v.copy() for k, v in net.items()})
    return run
