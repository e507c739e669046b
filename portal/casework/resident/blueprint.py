"""The blueprint that the resident modules of casework put their views on."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
