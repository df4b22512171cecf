"""What every room stands on: the course, its units, errors, cells and text."""
