"""Train the student's own network with their own rule, a slider away.

Unlike the frames, this needs the kernel: Python trains, matplotlib draws, ipywidgets listen.
"""

from __future__ import annotations

import asyncio
import html
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .strings import TABLES

__all__ = ["LiveTraining", "train_live"]

Arrays = Mapping[str, NDArray[np.float64]]
LossAndGrads = Callable[[dict[str, NDArray[np.float64]]], tuple[float, Arrays]]
Rule = Callable[..., tuple[Any, Any]]

#: Seconds of training between two pictures.
SLICE = 0.1
#: How many earlier curves stay in sight, each with its own dashes.
KEPT = 4


def losses(
    loss_and_grads: LossAndGrads,
    params: Arrays,
    rule: Rule,
    learning_rate: float,
    num_steps: int,
) -> Iterator[float]:
    """Yield the loss before each step of a training that leaves ``params`` as they were.

    It ends early when the loss is no longer finite.
    """
    own = {name: np.array(w, dtype=np.float64) for name, w in params.items()}
    states: dict[str, Any] = dict.fromkeys(own)
    for _ in range(num_steps):
        # What overflows shows in the picture; a warning would say no more.
        with np.errstate(all="ignore"):
            loss, grads = loss_and_grads(own)
        yield float(loss)
        if not math.isfinite(loss):
            return
        with np.errstate(all="ignore"):
            for name in own:
                stepped, states[name] = rule(
                    own[name], grads[name], states[name], learning_rate=learning_rate
                )
                own[name] = np.asarray(stepped, dtype=np.float64)


class LiveTraining:
    """A learning-rate slider over the student's own training.

    In a notebook it shows itself. Moving the slider trains anew from the same start; earlier
    curves stay for comparison. Training runs in slices between which the notebook stays awake.

    Attributes:
        rate: the slider.
        curves: ``(learning rate, losses)`` of each training in sight, the latest last.
    """

    def __init__(
        self,
        loss_and_grads: LossAndGrads,
        params: Arrays,
        rule: Rule,
        *,
        learning_rate: float,
        num_steps: int,
    ) -> None:
        import ipywidgets

        self._train = (loss_and_grads, params, rule)
        self._num_steps = num_steps
        self._task: asyncio.Task[None] | None = None
        self._words = TABLES["train_live"]
        self.curves: list[tuple[float, list[float]]] = []
        self.rate = ipywidgets.FloatLogSlider(
            value=learning_rate,
            min=-5,
            max=1,
            step=0.05,
            description=self._words["rate"],
            continuous_update=False,
            readout_format=".2g",
            style={"description_width": "initial"},
        )
        self._log = ipywidgets.Checkbox(False, description=self._words["log"], indent=False)
        again = ipywidgets.Button(description=self._words["again"])
        clear = ipywidgets.Button(description=self._words["clear"])
        self._picture = ipywidgets.HTML()
        self._status = ipywidgets.HTML()
        self.rate.observe(lambda _: self.start(), "value")
        self._log.observe(lambda _: self._draw(), "value")
        again.on_click(lambda _: self.start())
        clear.on_click(lambda _: self._forget())
        row = ipywidgets.HBox([self.rate, self._log, again, clear])
        row.layout.flex_flow = "row wrap"
        self.widget = ipywidgets.VBox([row, self._picture, self._status])

    @property
    def status(self) -> str:
        """What is said below the picture, as HTML."""
        return str(self._status.value)

    @property
    def picture(self) -> str:
        """The picture with its alt text, as HTML."""
        return str(self._picture.value)

    def start(self) -> None:
        """Train at the slider's rate: in slices where an event loop runs, else to the end."""
        if self._task is not None:
            self._task.cancel()
        slices = self._slices(float(self.rate.value))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            for _ in slices:
                pass
            return
        self._task = loop.create_task(self._follow(slices))

    async def _follow(self, slices: Iterator[None]) -> None:
        for _ in slices:
            await asyncio.sleep(0)

    def _slices(self, rate: float) -> Iterator[None]:
        """Train, and draw after each slice of time."""
        curve: list[float] = []
        self.curves = [*self.curves[-KEPT:], (rate, curve)]
        begin = time.monotonic()
        try:
            for loss in losses(*self._train, rate, self._num_steps):
                curve.append(loss)
                if time.monotonic() - begin > SLICE:
                    self._say("running", step=len(curve), loss=f"{loss:.4g}")
                    self._draw()
                    yield
                    begin = time.monotonic()
        except Exception as error:
            # The student's own mistake: said here, since nobody sees what a task raises.
            self._say("raised", error=f"{type(error).__name__}: {error}")
            return
        finite = bool(curve) and math.isfinite(curve[-1])
        last = f"{curve[-1]:.4g}" if curve else ""
        self._say("done" if finite else "diverged", step=len(curve), rate=f"{rate:.3g}", loss=last)
        self._draw()

    def _say(self, key: str, **values: Any) -> None:
        sentence = html.escape(self._words[key].format(**values))
        self._status.value = f'<p role="status">{sentence}</p>'

    def _forget(self) -> None:
        self.curves = self.curves[-1:]
        self._draw()

    def _draw(self) -> None:
        import base64

        source = base64.b64encode(self._png()).decode("ascii")
        alt = html.escape(self._words["alt"])
        self._picture.value = f'<img alt="{alt}" src="data:image/png;base64,{source}">'

    def _png(self) -> bytes:
        """Draw the curves on a figure of its own, outside pyplot."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.5, 3.4), dpi=96, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        dashes = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]
        colors = ["#0b6bb0", "#c8500a", "#00805c", "#a3459a", "#8a6100"]
        for index, (rate, curve) in enumerate(self.curves):
            latest = index == len(self.curves) - 1
            axes.plot(
                curve,
                color="#1f1f1f" if latest else colors[index],
                linestyle="-" if latest else dashes[1 + index % KEPT],
                linewidth=2.6 if latest else 1.4,
                label=self._words["curve"].format(rate=f"{rate:.3g}"),
            )
        firsts = [curve[0] for _, curve in self.curves if curve]
        if self._log.value:
            axes.set_yscale("log")
        elif firsts:
            axes.set_ylim(0, 2 * max(firsts))
        axes.set(xlim=(0, self._num_steps), xlabel=self._words["axis_step"])
        axes.set_title(self._words["axis_loss"], loc="left", fontsize="medium")
        axes.grid(color="#e6eaef")
        axes.spines[["top", "right"]].set_visible(False)
        if firsts:
            axes.legend(frameon=False)
        out = io.BytesIO()
        figure.savefig(out, format="png")
        return out.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs)


def train_live(
    loss_and_grads: LossAndGrads,
    params: Arrays,
    rule: Rule,
    *,
    learning_rate: float = 0.1,
    num_steps: int = 200,
) -> LiveTraining:
    """Put a learning-rate slider over your own network and your own update rule.

    Args:
        loss_and_grads: ``(params) -> (loss, grads)``, both dicts of arrays of equal shapes. It
            may draw a new batch at every call.
        params: where each training starts; they are left as they were.
        rule: ``(w, dw, state=None, *, learning_rate) -> (w_next, state)``.
        learning_rate: where the slider starts, between 1e-5 and 10.
        num_steps: steps of one training.

    Raises:
        ValueError: for a learning rate or a number of steps out of range.
    """
    if not 1e-5 <= learning_rate <= 10:
        raise ValueError(f"learning_rate must lie between 1e-5 and 10, not {learning_rate}")
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, not {num_steps}")
    live = LiveTraining(
        loss_and_grads, params, rule, learning_rate=learning_rate, num_steps=num_steps
    )
    live.start()
    return live
