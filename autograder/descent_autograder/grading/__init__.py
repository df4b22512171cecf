"""A class from its submissions to the gradebook."""
