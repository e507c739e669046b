"""Minutes filled into a document that somebody brought, in a process of its own: bounded in time and in memory.

Reads {"template", "facts"} as JSON, writes {"found": {"document"}} or {"found": {"fault", "names"}}; see
service/minutes_templates.py.
"""

import base64
import io
import json
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from docx import Document
from docx.oxml import parse_xml
from docxtpl import DocxTemplate, Listing
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY, SECONDS = 1024 * 1024 * 1024, 10
# What a field may be that needs nothing but its own document. Others fetch a file or run something when somebody opens
# the minutes (INCLUDETEXT, INCLUDEPICTURE, DDE, LINK, DATABASE, MACROBUTTON), so what is not named here is refused.
FIELDS = frozenset(
    {"=", "AUTHOR", "CREATEDATE", "DATE", "EQ", "FORMCHECKBOX", "FORMDROPDOWN", "FORMTEXT", "HYPERLINK", "LISTNUM"}
    | {"NUMCHARS", "NUMPAGES", "NUMWORDS", "NOTEREF", "PAGE", "PAGEREF", "PRINTDATE", "REF", "SAVEDATE", "SECTION"}
    | {"SECTIONPAGES", "SEQ", "STYLEREF", "SUBJECT", "SYMBOL", "TC", "TIME", "TITLE", "TOC", "XE"}
)


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
    # Of what comes out: a filling may put a field together.
    if strange := sorted({name for name in fields(held.getvalue()) if name not in FIELDS}):
        return {"fault": "field", "names": [name[:20] for name in strange[:8]]}
    return {"document": base64.b64encode(held.getvalue()).decode()}


def fields(document: bytes) -> Iterator[str]:
    """What each field of a document is, the first word of its instruction; in headers, notes and glossaries too."""
    for part in Document(io.BytesIO(document)).part.package.iter_parts():
        if part.partname.endswith(".xml"):
            for said in _instructions(part.blob):
                words = said.replace("=", " = ", 1).split() if said.lstrip().startswith("=") else said.split()
                yield words[0].upper() if words else "{ }"


def _instructions(part: bytes) -> Iterator[str]:
    """The instructions of the fields of a part; one written in several pieces whole, and one inside another alone."""
    open_ones: list[list[str]] = []
    for element in parse_xml(part).iter():
        kind = str(element.tag).rpartition("}")[2]
        said = {str(name).rpartition("}")[2]: value for name, value in element.attrib.items()}
        if kind == "fldSimple":
            yield str(said.get("instr", ""))
        elif kind == "fldChar" and said.get("fldCharType") == "begin":
            open_ones.append([])
        elif kind == "fldChar" and said.get("fldCharType") == "end" and open_ones:
            yield "".join(open_ones.pop())
        elif kind in {"instrText", "delInstrText"}:
            if not open_ones:
                yield element.text or ""
            else:
                open_ones[-1].append(element.text or "")
    yield from ("".join(one) for one in open_ones)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    asked = json.load(sys.stdin)
    found = filled(base64.b64decode(asked["template"]), asked["facts"])
    sys.stdout.write(json.dumps({"found": found}) + "\n")


if __name__ == "__main__":
    main()
