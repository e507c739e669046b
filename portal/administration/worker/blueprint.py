"""The blueprint that the worker modules of administration put their views on."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
