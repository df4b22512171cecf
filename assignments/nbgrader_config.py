"""nbgrader's configuration for this course.

It makes plain nbgrader commands use our intake, our wall and our verdicts. The same notebooks
also grade under stock nbgrader without it, more slowly and without a wall.
"""

from descent_autograder import nbgrader_plugin as descent

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "descent"

# A gradebook elsewhere: c.CourseDirectory.db_url = "postgresql+psycopg2://user@host/gradebook"

# What was submitted is mended or refused before nbgrader's own preprocessors see it.
c.Autograde.exporter_class = descent.IntakeExporter

# nbgrader's preprocessors in nbgrader's order, with two of them replaced.
c.Autograde.autograde_preprocessors = [
    descent.Execute,
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    descent.SaveAutoGrades,
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
descent.use_wall_in_validate()

# What students wrote is made harmless wherever it is shown: in feedback and in the formgrader.
c.HTMLExporter.preprocessors = ["descent_autograder.reports.sanitize.Sanitize"]
c.HTMLExporter.filters = {"markdown2html": "descent_autograder.reports.sanitize.markdown2html"}
