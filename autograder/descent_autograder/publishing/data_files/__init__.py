"""Commands that make the data files of the student's package; each has a test of freshness."""
