"""The worker platform of audit."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
