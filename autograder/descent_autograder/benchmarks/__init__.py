"""One module a subject; each gives rows for `make bench`."""
