"""What is asked and done about volunteers; both platforms stand on it."""
