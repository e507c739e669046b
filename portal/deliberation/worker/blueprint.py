"""The blueprint that the worker modules of deliberation put their views on."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
