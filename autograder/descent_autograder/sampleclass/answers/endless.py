# mypy: ignore-errors
"""One function never comes back."""


def verdict(error, *, has_kinks=False):
    rounds = 0
    while error != 1.0:
        rounds += 1
    return "happy"
