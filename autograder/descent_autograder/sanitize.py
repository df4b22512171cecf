"""An older name of `reports.sanitize`, for courses whose ``nbgrader_config.py`` still says it.

See `descent_autograder.passes`.
"""

from descent_autograder.reports.sanitize import Sanitize, markdown2html

__all__ = ["Sanitize", "markdown2html"]
