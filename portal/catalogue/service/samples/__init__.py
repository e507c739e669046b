"""The samples that an administrator may load into an empty catalogue, and the demonstration does."""
