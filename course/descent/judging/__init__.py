"""How an answer is judged: observe it, compare it, name the mistake, say so in words."""

from descent.judging.exam import (
    Candidate,
    Exam,
    Mistake,
    exam_for,
    public_exam,
    set_exams,
)
from descent.judging.observing import (
    Case,
    Folder,
    Observation,
    Observer,
    Question,
    Raised,
    Record,
    Stopped,
    Unfinished,
    question,
)
from descent.judging.verdict import Verdict, decide

__all__ = [
    "Candidate",
    "Case",
    "Exam",
    "Folder",
    "Mistake",
    "Observation",
    "Observer",
    "Question",
    "Raised",
    "Record",
    "Stopped",
    "Unfinished",
    "Verdict",
    "decide",
    "exam_for",
    "public_exam",
    "question",
    "set_exams",
]
