"""The worker platform of registry."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
