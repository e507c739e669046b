"""Administration: parameters, holidays and accounts; what they are lives in core and identity."""
