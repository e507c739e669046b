"""A community portal: one database of people and resources, two platforms on it."""
