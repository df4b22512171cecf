"""Unit 1 for the grader, a module a family of questions."""
