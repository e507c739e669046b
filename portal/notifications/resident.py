"""The resident's inbox."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
