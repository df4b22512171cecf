"""What the grader knows of the questions, and the proof that it is right."""

EXAMS = "descent_autograder.questions.catalogue:exam"
"""What draws fresh exams, as a sandbox is told it: it knows no question itself."""
