"""Descent: learn how neural networks are trained, by doing it."""

from descent._check import check

__all__ = ["check"]
__version__ = "1.0.0"
