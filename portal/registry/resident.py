"""The resident platform of registry."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
