"""The worker platform of administration."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
