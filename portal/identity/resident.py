"""The resident platform of identity."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
