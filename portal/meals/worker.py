"""The worker platform of meals."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
