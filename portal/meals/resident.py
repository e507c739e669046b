"""The resident platform of meals."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
