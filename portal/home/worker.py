"""The worker platform of home."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
