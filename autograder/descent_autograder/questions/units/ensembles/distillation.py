"""One network learns from another's softened probabilities."""

from __future__ import annotations

import numpy as np
from descent_solutions import ensembles as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written


def distillation_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for (n, c), temperature, alpha, offset in (
        ((4, 3), 2.0, 0.7, 0.0),
        ((5, 6), 4.0, 0.3, 0.0),
        ((3, 4), 3.0, 0.5, 1000.0),
        ((6, 5), 1.5, 0.9, -1000.0),
        # The soft part alone, the hard part alone; a batch of one; and soft logits beyond exp.
        ((1, 4), 1.0, 1.0, 1000.0),
        ((3, 4), 1.25, 0.0, -1000.0),
    ):
        offsets = offset * np.where(np.arange(n) % 2, 1.0, -1.0)[:, None]
        about = f"N = {n}, C = {c}, T = {temperature:g}, alpha = {alpha:g}"
        case: Case = {"about": about + (", scores shifted by ±1000" if offset else "")}
        case |= {"student": 2 * rng.normal(size=(n, c)) + offsets}
        case |= {"teacher": 3 * rng.normal(size=(n, c)) - offsets, "y": rng.integers(0, c, n)}
        cases.append(case | {"temperature": temperature, "alpha": alpha})
    return cases


DISTILLATION_LOSS = Entry(
    "distillation_loss",
    reference.distillation_loss,
    distillation_cases,
    mistakes=written("""
        no-square: alpha * temperature**2 *  →  alpha *
            dsoft = temperature *  →  dsoft = 1 / temperature *
            It looks as if the factor T² is missing. Try: Softening shrinks the soft gradients by
            1/T²: multiply the soft term by T².
        no-square-in-loss: alpha * temperature**2 *  →  alpha *
            It looks as if the factor T² is in the gradient and not in the loss.
            Try: Loss and gradient belong to the same function: multiply both.
        no-square-in-gradient: dsoft = temperature *  →  dsoft = 1 / temperature *
            It looks as if the factor T² is in the loss and not in the gradient.
            Try: The gradient of T² · KL is T · (student − teacher).
        square-not-reduced: dsoft = temperature *  →  dsoft = temperature**2 *
            It looks as if the soft gradient is multiplied by T², and the 1/T forgotten.
            Try: The logits are divided by T inside the softmax: one T is left.
        teacher-not-softened: teacher_logits / temperature  →  teacher_logits
            It looks as if the teacher's logits aren't divided by T.
            Try: Soften both: the dark knowledge is in the teacher's small probabilities.
        student-not-softened: student_logits / temperature  →  student_logits
            It looks as if the student's logits aren't divided by T in the soft term.
            Try: Soften both by the same T.
        hard-softened: log_softmax(student_logits)  →  log_softmax(student_logits / temperature)
            It looks as if the cross-entropy with the labels is softened as well.
            Try: T belongs to the soft term alone.
        reversed: np.exp(teacher) * (teacher - soft)  →  np.exp(soft) * (soft - teacher)
            It looks as if the divergence is taken the other way round.
            Try: KL(teacher‖student) weighs with the teacher's probabilities.
        entropy-missing: (teacher - soft)  →  (0 - soft)
            It looks as if the soft term is a cross-entropy, without the teacher's entropy.
            Try: KL is Σ p (log p − log q): it is 0 when the student agrees with the teacher.
        alpha-swapped: num_examples, rows  →  alpha = 1 - alpha⏎num_examples, rows
            It looks as if alpha weighs the hard term.
            Try: alpha belongs to the soft term, 1 − alpha to the labels.
        grad-summed: dhard) / num_examples  →  dhard)
            It looks as if the gradient isn't divided by N.
            Try: Both terms are means over the batch.
        no-shift: logits - logits.max(axis=1, keepdims=True)  →  logits
            It looks as if the logits aren't shifted, so that exp overflows.
            Try: Subtract each row's largest logit first.
        soft-not-shifted: logits: Array)  →  logits: Array, shift: float = 0.0)
            - logits.max(axis=1, keepdims=True)  →  - shift * logits.max(axis=1, keepdims=True)
            log_softmax(student_logits)  →  log_softmax(student_logits, 1.0)
            It looks as if the softened logits aren't shifted, so that exp overflows.
            Try: 1000 / T is too much as well: shift in every softmax.
        shift-of-all: logits.max(axis=1, keepdims=True)  →  logits.max()
            It looks as if all rows are shifted by one maximum.
            Try: Rows may lie 2000 apart: take the maximum with axis=1, keepdims=True.
    """),
)
