"""What students and instructors read: feedback pages and the class report."""
