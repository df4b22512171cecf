"""Every word the demos show: one table a demo, whole sentences, ``{names}`` filled in.

A translation is a table of the same keys. Nothing is glued from halves, so each sentence may
put its numbers where its language wants them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["RUNTIME", "TABLES"]

#: Words that all frames share.
RUNTIME: Final[dict[str, str]] = {
    "ui_play": "Play",
    "ui_pause": "Pause",
    "ui_back": "Back",
    "ui_step": "Step",
    "ui_scrub": "Position in time",
    "ui_playback": "Playback",
    "ui_frame": "{frame} of {frames}",
    "ui_shown": "What is shown",
    "ui_share": "Share or reset",
    "ui_state": "This state as text",
    "ui_copy": "Copy",
    "ui_copied": "Copied.",
    "ui_copy_by_hand": "Selected: copy it with the keyboard.",
    "ui_reset": "Reset",
}

TABLES: Final[dict[str, dict[str, str]]] = {
    "step_size": {
        "title": "How small should the step be?",
        "lead": "Move h, drag the point along the curve, and switch the precision.",
        "alt": (
            "Left: a curve with its tangent and the lines whose slopes the forward and the "
            "centred difference measure. Right: the relative error of both against the step h "
            "on log axes. Both errors form a V: they fall with h, the centred one twice as "
            "steeply, until rounding makes them rise again."
        ),
        "function": "Function",
        "cube": "x³",
        "bell": "1 / (1 + x²)",
        "root": "√(1 + x²)",
        "precision": "Precision",
        "float64": "float64",
        "float32": "float32",
        "step_h": "Step h",
        "point": "Point on the curve, x {x}, f {y}",
        "axis_x": "x",
        "axis_f": "f(x)",
        "axis_h": "step h",
        "axis_error": "relative error",
        "tangent": "true slope",
        "forward": "forward",
        "centred": "centred",
        "happy": "1e-7: happy",
        "says": (
            "At h = {h}, the relative error of the forward difference is {forward} and that of the "
            "centred one {centred}."
        ),
        "best": "The centred error is smallest near h = {best}; below that, rounding wins.",
        "flat": "The true slope is 0 here: relative errors say nothing, so move the point.",
    },
    "kink_explorer": {
        "title": "What a kink does to a gradient check",
        "lead": "Drag the point towards the kink, or widen h until the step crosses it.",
        "alt": (
            "Left: a function with a kink at its centre, and the line through its values at "
            "x − h and x + h. Right: the relative error of the centred difference against h. It "
            "is tiny while h is smaller than the distance to the kink and rises steeply beyond it."
        ),
        "function": "Function",
        "relu": "ReLU: max(0, x)",
        "leaky": "leaky ReLU: max(0.1x, x)",
        "abs": "absolute value: |x|",
        "maxout": "maxout: max(0.5x, 2x)",
        "smooth": "no kink: x²",
        "step_h": "Step h",
        "zoom": "Zoom",
        "preset": "Example",
        "preset_free": "your own",
        "preset_far": "far from the kink",
        "preset_note": "x = −1e-6, h = 1e-5",
        "preset_cure": "x = −1e-6, h = 1e-7",
        "point": "Point x at {x}, f {y}",
        "axis_x": "x",
        "axis_f": "f(x)",
        "axis_h": "step h",
        "axis_error": "relative error",
        "curve": "f",
        "secant": "centred difference",
        "distance": "h = distance to the kink",
        "crossed": (
            "The step crosses the kink: x − h = {minus} and x + h = {plus} lie on different "
            "sides. The centred difference says {numeric}, backpropagation {analytic}: relative "
            "error {error}. Your gradient may be right, and the check still fails."
        ),
        "clear": (
            "x − h = {minus} and x + h = {plus} lie on the same side, so the kink does no harm: "
            "the centred difference says {numeric}, backpropagation {analytic}, relative error "
            "{error}."
        ),
        "smooth_says": (
            "No kink here: the centred difference says {numeric}, backpropagation {analytic}, "
            "relative error {error}."
        ),
    },
    "optimizer_race": {
        "title": "Race of the update rules",
        "lead": "Drag the start, change a rule's rate, or play the race step by step.",
        "alt": (
            "Left: a landscape of two parameters seen from above, with the path of each update "
            "rule from a common start. Right: the loss of each rule above the lowest possible, "
            "over the steps, on a log axis."
        ),
        "landscape": "Landscape",
        "ravine": "ravine",
        "saddle": "saddle",
        "bowl": "bowl",
        "plateau": "plateau",
        "start": "Start of the race, x {x}, y {y}",
        "momentum_mu": "Momentum μ",
        "noise": "Gradient noise",
        "again": "Other noise",
        "rated": "Learning rate of {label}",
        "sgd": "SGD",
        "momentum": "Momentum",
        "nesterov": "Nesterov",
        "adagrad": "Adagrad",
        "rmsprop": "RMSprop",
        "adam": "Adam",
        "axis_x": "x",
        "axis_y": "y",
        "axis_step": "step",
        "axis_loss": "loss above the lowest",
        "leader": "After {step} steps, {name} is lowest, {loss} above the minimum.",
        "last": "{name} is highest, at {loss}.",
        "away": "{name} has run away: its rate is too high here.",
        "none": "No rule is shown: switch one on.",
    },
    "learning_rate_explorer": {
        "title": "What the learning rate does to the loss",
        "lead": "Move the learning rate: a small network is trained anew each time.",
        "alt": (
            "Left: training loss over the epochs for four learning rates. The low one falls "
            "slowly, almost in a line; the good one falls fast and far; the high one falls and "
            "then stays at a worse loss; the very high one stays far above where it began. A "
            "bold line shows the rate you chose. Right: the regions the network has learnt."
        ),
        "rate": "Learning rate",
        "batch": "Batch size",
        "scale": "Loss axis",
        "linear": "linear",
        "log": "logarithmic",
        "axis": "Horizontal axis",
        "epochs": "epochs",
        "iterations": "iterations",
        "again": "Other start",
        "low": "low: {rate}",
        "good": "good: {rate}",
        "high": "high: {rate}",
        "very_high": "very high: {rate}",
        "yours": "yours: {rate}",
        "axis_epochs": "epochs",
        "axis_iterations": "iterations (updates)",
        "axis_loss": "training loss",
        "map": "learnt after {epoch} epochs",
        "start": "Before the first epoch, nothing has been learnt.",
        "says": (
            "At a learning rate of {rate}, the loss after {epochs} epochs is {loss} and "
            "{accuracy} % of the training points are right."
        ),
        "wiggles": "With batches of {batch}, the loss jumps by {wiggle} from step to step.",
    },
    "loss_at_chance": {
        "title": "What should the loss be before training?",
        "lead": "Widen the random weights, and change the number of classes and the loss.",
        "alt": (
            "Left: bars for the classes of one example, by random weights. Right: the mean loss "
            "against the scale of the weights on log axes. It lies on the value that chance "
            "predicts while the weights are small and climbs away when they are large."
        ),
        "scale": "Scale of the weights",
        "classes": "Classes",
        "kind": "Loss",
        "softmax": "softmax",
        "hinge": "hinge",
        "again": "Other weights",
        "axis_class": "class (the first ten)",
        "axis_probability": "probability, one example",
        "axis_score": "score, one example",
        "chance": "1 / number of classes",
        "axis_scale": "standard deviation of the weights",
        "axis_loss": "loss before training",
        "expected": "chance: {expected}",
        "mean": "mean of 24 examples",
        "says": (
            "With {classes} classes and weights of standard deviation {scale}, the mean loss is "
            "{loss}; chance predicts {expected}."
        ),
        "fine": "They agree: the loss starts where it should.",
        "off": "They differ by more than a tenth: these weights are too large to begin with.",
    },
    "batch_size_wiggle": {
        "title": "Why does the loss wiggle?",
        "lead": "Change the batch size: the thin line shows the loss of every single step.",
        "alt": (
            "Left: training loss over the iterations. A thin line, the loss of each batch, "
            "wiggles about a bold one, the mean of each epoch: widely with batches of one "
            "example, not at all with the whole set. Right: the regions the network has learnt."
        ),
    },
    "train_val_gap": {
        "title": "The gap between training and validation",
        "lead": "Give the classifier more capacity, more data, or a stronger penalty.",
        "alt": (
            "Left: points of two classes and the regions that the classifier has learnt. Right: "
            "accuracy on training and on validation data over the epochs, the gap between them "
            "shaded. With much capacity and few examples the gap is wide."
        ),
        "capacity": "Capacity (bumps)",
        "examples": "Training examples",
        "reg": "Penalty",
        "again": "Other data",
        "map": "training points and what is learnt",
        "axis_epochs": "epochs",
        "axis_accuracy": "accuracy",
        "training": "training",
        "validation": "validation",
        "says": "After {epoch} epochs, training accuracy is {seen} % and validation {held} %.",
        "over": (
            "A gap of {gap} points: it overfits. Try more data, a stronger penalty, or less "
            "capacity."
        ),
        "under": "The gap is small because training itself goes badly: it lacks capacity or time.",
        "fine": "The gap is small and training goes well.",
    },
    "update_ratio_dial": {
        "title": "How large is an update?",
        "lead": "Turn the learning rate until the needles point to one in a thousand.",
        "alt": (
            "Left: a dial from a millionth to one with a needle for the weights of each layer, "
            "pointing at the ratio of update to weight. Right: that ratio over the updates on a "
            "log axis, with a line at one in a thousand."
        ),
        "rate": "Learning rate",
        "scale": "Initial weights",
        "again": "Other start",
        "dial": "update : weight, median of the last epoch",
        "axis_update": "update",
        "axis_ratio": "norm of update : norm of weights",
        "first": "first layer",
        "second": "second layer",
        "rule": "rule of thumb: 1e-3",
        "says": "The first layer's ratio is {first}, the second's {second}.",
        "low": (
            "That is far below 1e-3: the rate may be too low. The loss went from {from} to {to}."
        ),
        "high": (
            "That is well above 1e-3: the rate may be too high. The loss went from {from} to {to}."
        ),
        "fine": "That is near 1e-3, as it often is when all is well: from loss {from} to {to}.",
    },
    "first_layer_pictures": {
        "title": "What does the first layer look for?",
        "lead": "Play the training, then spoil it: larger initial weights, no penalty.",
        "alt": (
            "Left: the weights of eight hidden units as pictures of eight by eight pixels. Well "
            "trained, they show smooth bars; badly trained, noise. Right: training loss and "
            "smoothness of the pictures over the epochs."
        ),
        "rate": "Learning rate",
        "decay": "Penalty",
        "scale": "Initial weights",
        "again": "Other start",
        "tiles": "weights of the eight hidden units",
        "axis_epochs": "epochs",
        "axis_both": "loss; smoothness (0 is noise)",
        "loss": "training loss",
        "smoothness": "smoothness",
        "before": "Before training the smoothness is {smooth}.",
        "says": "After {epoch} epochs the smoothness is {smooth}, accuracy {accuracy} %.",
        "smooth": "Smooth pictures: the first layer has found what the data are made of.",
        "noisy": (
            "Noisy pictures: not yet converged, a poor rate, or too weak a penalty, even if the "
            "accuracy looks fine."
        ),
    },
    "decay_schedules": {
        "title": "How should the learning rate decay?",
        "lead": "Set each schedule; too slow wastes time in the noise, too fast freezes.",
        "alt": (
            "Left: five schedules of the learning rate over 100 epochs on a log axis. Right: the "
            "expected loss each reaches on a noisy bowl. A constant rate stays at the height of "
            "its noise; a good decay goes on falling; a hasty one stops early."
        ),
        "constant": "constant",
        "step": "step",
        "exponential": "exponential",
        "inverse": "1/t",
        "cosine": "cosine",
        "rate": "First rate",
        "factor": "Step: factor",
        "every": "Step: epochs",
        "decay": "Exponential: k",
        "slowing": "1/t: k",
        "axis_epoch": "epoch",
        "axis_rate": "learning rate",
        "axis_loss": "expected loss",
        "none": "No schedule is shown: switch one on.",
        "away": "The schedule “{name}” runs away: the first rate is too high.",
        "says": (
            "After {epochs} epochs, “{best}” is lowest with {low} and “{worst}” highest with "
            "{high}."
        ),
    },
    "newton_vs_gradient": {
        "title": "Newton's step and the gradient's",
        "lead": "Drag the start. Newton needs no learning rate, and falls for saddles.",
        "alt": (
            "Left: a landscape seen from above with the paths of gradient descent and of "
            "Newton's method from a common start. Right: the loss of both over the steps on a "
            "log axis. In the straight valley Newton arrives in one step; on the saddle it can "
            "be caught at the saddle point."
        ),
        "place": "Landscape",
        "valley": "straight valley",
        "curved": "curved valley",
        "saddle": "saddle",
        "rate": "Learning rate of the gradient",
        "start": "Start, x {x}, y {y}",
        "gradient": "gradient",
        "newton": "Newton",
        "axis_x": "x",
        "axis_y": "y",
        "axis_step": "step",
        "axis_loss": "loss above the lowest",
        "says": (
            "After {step} steps, gradient descent is {gradient} above the lowest loss and "
            "Newton's method {newton}."
        ),
        "away": (
            "Gradient descent has run away: its rate is too high here. Newton's method is {newton} "
            "above the lowest loss after {step} steps."
        ),
        "caught": "Newton's method stands on the saddle: it looks for flat places, not low ones.",
    },
    "grid_vs_random": {
        "title": "Trials on a grid, or at random?",
        "lead": "Give both the same number of trials, and let one parameter matter more.",
        "alt": (
            "Two maps of the score over two parameters with the same number of trials, left on a "
            "grid and right at random. Above each, what the trials see of the important "
            "parameter: the grid tries few distinct values, random search a new one each time."
        ),
        "trials": "Trials",
        "share": "Weight of the other",
        "again": "Other peak, other draw",
        "grid": "grid: best {best}",
        "random": "random: best {best}",
        "axis_important": "important parameter",
        "axis_other": "other parameter",
        "says": (
            "With {trials} trials the grid tries {side} values of the important parameter, "
            "random search {trials}."
        ),
        "wins": (
            "Best scores: grid {grid}, random {random}. Over {draws} peaks and draws, random "
            "search wins in {wins} % of them."
        ),
    },
    "coarse_to_fine": {
        "title": "Zooming in, from coarse to fine",
        "lead": "Drag the ends of the first range until it misses the peak, and see it say so.",
        "alt": (
            "Left: accuracy of random trials against the learning rate on a log axis, in three "
            "stages, each in a narrower range. Right: the same trials over learning rate and "
            "regularisation, the ranges drawn as boxes one inside the other."
        ),
        "low": "Low end of the first range, learning rate {x}",
        "high": "High end of the first range, learning rate {x}",
        "trials": "Trials a stage",
        "keep": "Best trials kept",
        "again": "Other trials",
        "stage": "stage {stage}",
        "axis_rate": "learning rate",
        "axis_score": "validation accuracy",
        "axis_reg": "regularisation",
        "says": (
            "Stage {stage} searches learning rates from {low} to {high}; the best, {rate}, "
            "reaches {score}."
        ),
        "before": "Before the first stage: this is the range it will search.",
        "border": "The best lies at the border of its range: look beyond it.",
        "within": "The best lies well within its range.",
    },
    "ensemble_size": {
        "title": "How many networks, and how different?",
        "lead": "Make the members more alike, more skilled, or more sure of themselves.",
        "alt": (
            "Left: accuracy of an average of one to sixteen networks, beside each network "
            "alone. Right: the same for the log loss. The average improves quickly at first and "
            "then little; its log loss never exceeds the mean of its members'."
        ),
        "alike": "Likeness of errors",
        "skill": "Skill",
        "sure": "Certainty",
        "again": "Other networks",
        "axis_members": "networks averaged",
        "axis_accuracy": "accuracy",
        "axis_loss": "log loss",
        "together": "average of the first n",
        "alone": "number n alone",
        "mean": "mean of all alone",
        "says": (
            "All {members} together reach {together} %; alone they have {mean} % in the mean and "
            "{best} % at best."
        ),
        "jensen": "Log loss: {loss} together, {meanLoss} in the mean; it can never be the larger.",
        "differ": "Two of them disagree on {differ} % of the examples.",
    },
    "temperature": {
        "title": "What a temperature reveals",
        "lead": "Raise the temperature: the classes that the teacher nearly chose appear.",
        "alt": (
            "Left: a teacher's probabilities for the ten digits at the chosen temperature as "
            "bars and at temperature 1 as squares, on a log axis. Right: the size of the "
            "student's gradient against the temperature, with and without the factor T squared. "
            "Without it the gradient vanishes at high temperatures."
        ),
        "temperature": "Temperature T",
        "example": "Picture",
        "clear": "a clear 7",
        "doubtful": "a 7 much like a 1",
        "axis_class": "class",
        "axis_probability": "probability",
        "soft": "T = {temperature}",
        "hard": "T = 1",
        "axis_temperature": "temperature T",
        "axis_pull": "size of the student's gradient",
        "plain": "as it is",
        "squared": "times T²",
        "says": (
            "At T = {temperature} the teacher says {first} with probability {p1} and {second} "
            "with {p2}."
        ),
        "entropy": "Its answer is {share} % as uncertain as a blind guess.",
    },
    "train_live": {
        "title": "Your network, your rule",
        "alt": (
            "Loss over the steps of your own network, trained with your own update rule: a bold "
            "line for the latest learning rate, thin ones for those before."
        ),
        "rate": "learning rate",
        "log": "log axis",
        "again": "train again",
        "clear": "forget the others",
        "axis_step": "step",
        "axis_loss": "loss",
        "curve": "rate {rate}",
        "running": "Step {step}: loss {loss}.",
        "done": "After {step} steps at a learning rate of {rate}, the loss is {loss}.",
        "diverged": "At a learning rate of {rate}, the loss is no number after {step} steps.",
        "raised": "Your code stopped with {error}",
    },
}
