"""What can be done with a case, one module a task."""
