"""The blueprint that the resident modules of deliberation put their views on."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
