"""The blueprint that the resident modules of the volunteers put their views on."""

from flask import Blueprint

bp = Blueprint("resident", __name__)
