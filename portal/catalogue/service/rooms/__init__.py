"""Booking rooms: their rules, what is free when, bookings and how they end, blockings, weekly series."""
