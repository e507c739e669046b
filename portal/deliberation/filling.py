"""Minutes filled into a document that somebody brought, in a process of its own: bounded in time and in memory.

Reads {"template", "facts"} as JSON, writes {"found": {"document"}} or {"found": {"fault", "names"}}; see
service/minutes_filling.py.
"""

import base64
import io
import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

from docxtpl import DocxTemplate, Listing
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY, SECONDS = 1024 * 1024 * 1024, 10


def filled(template: bytes, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its facts; or what is wrong with it."""
    document = DocxTemplate(io.BytesIO(template))
    env = ImmutableSandboxedEnvironment(autoescape=True)
    try:
        named = document.get_undeclared_template_variables(env)
        if unknown := sorted(named - facts.keys()):
            return {"fault": "unknown", "names": unknown[:8]}
        if not named:
            return {"fault": "none", "names": []}
        # A text of several lines keeps them.
        lines = {name: Listing(said) for name, said in facts.items() if isinstance(said, str) and "\n" in said}
        document.render({**facts, **lines}, env)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return {"fault": "broken", "names": []}
    held = io.BytesIO()
    document.save(held)
    return {"document": base64.b64encode(held.getvalue()).decode()}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    asked = json.load(sys.stdin)
    found = filled(base64.b64decode(asked["template"]), asked["facts"])
    sys.stdout.write(json.dumps({"found": found}) + "\n")


if __name__ == "__main__":
    main()
