"""The ground floor: mechanisms that know no domain noun and import nothing of ours."""
