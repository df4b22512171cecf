"""Unit 5 for the grader, a module a family of questions."""
