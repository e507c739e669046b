"""What a community can serve with: facilities, organisations, staff, volunteer teams and material stock."""
