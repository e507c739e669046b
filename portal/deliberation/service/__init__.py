"""What deliberation does: one module a task; portal/core/doors.py says what `doors` hands over."""
