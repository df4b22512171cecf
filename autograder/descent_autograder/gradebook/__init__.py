"""nbgrader's database: read and written through nbgrader's own API."""
