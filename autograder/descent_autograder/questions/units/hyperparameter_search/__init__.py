"""Unit 9 for the grader, a module a family of questions."""
