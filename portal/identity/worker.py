"""The worker platform of identity."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
