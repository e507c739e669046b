"""The blueprint that the worker modules of the volunteers put their views on."""

from flask import Blueprint

bp = Blueprint("worker", __name__)
