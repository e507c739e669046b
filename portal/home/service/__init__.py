"""What home puts together: each part comes through a capability's service or one of its five doors."""
