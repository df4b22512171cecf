"""Unit 10 for the grader, a module a family of questions."""
