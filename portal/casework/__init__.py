"""Requests (民呼我为, 接诉即办): what residents ask, who answers for it until when, and what they say of the answer."""
