"""Unit 6 for the grader, a module a family of questions."""
