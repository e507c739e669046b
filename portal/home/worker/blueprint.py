"""The blueprint that the worker modules of home put their views on."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
