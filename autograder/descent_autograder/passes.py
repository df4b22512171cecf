"""An older name of `nbgrader_plugin`, for courses whose ``nbgrader_config.py`` still says it.

Such a configuration also names ``descent_autograder.sanitize``. A copy of today's
``assignments/nbgrader_config.py`` needs neither.
"""

from descent_autograder.nbgrader_plugin import (
    Execute,
    IntakeExporter,
    SaveAutoGrades,
    use_wall_in_validate,
)

__all__ = ["Execute", "IntakeExporter", "SaveAutoGrades", "use_wall_in_validate"]
