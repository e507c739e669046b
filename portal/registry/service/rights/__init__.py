"""What people ask of their own data: seeing it, having it corrected, a copy, the end of an account; and the answers."""
