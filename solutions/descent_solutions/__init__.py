"""The reference solutions, a module a unit. Students don't get them."""
