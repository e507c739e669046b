"""What can be done with the catalogue, one module a task."""
