"""The tables of casework: categories and limits, cases and their steps, recurring matters."""
