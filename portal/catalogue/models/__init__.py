"""The tables of the catalogue: items and lists, timetables and appointments, rooms, applications."""
