"""Descent's grader: from questions and submissions to gradebook and feedback."""
