"""Attacks on grading, tried against the real pipeline."""
