"""Plots for the lessons: one module a unit, one function a picture.

Every function returns a :class:`descent.plots.style.Picture`, which a notebook displays together
with its description for those who cannot see it.  All words in a picture can be replaced, see
:mod:`descent.plots.style`.
"""
