"""Unit 2 for the grader, a module a family of questions."""
