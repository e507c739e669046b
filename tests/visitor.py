"""Somebody with a browser and no JavaScript: reads pages, follows links, fills in forms by the words beside a field."""

import io
import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from tests.client import Client

# What is put into a field: text, the words of a choice or of several, a ticked box, a file with its name.
Value = str | bool | list[str] | tuple[bytes, str]
OPTIONAL = "（选填）"
GROUPED = {"radio", "checkbox"}
ROWS = {"tr", "section", "article"}


def squashed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def words_of(element: Element) -> str:
    return squashed("".join(element.itertext()))


def words_shown(html: str) -> str:
    """What a page says to who reads it: not its addresses and tokens, in which any three digits may stand."""
    return words_of(html5lib.HTMLParser(namespaceHTMLElements=False).parse(html))


def _answers_to(element: Element, words: str) -> bool:
    return squashed(words) in {words_of(element), squashed(element.get("aria-label") or "")}


class Form:
    """A form of a page: what it would send, and how its fields are called."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.sent: dict[str, list[object]] = {}
        for control in self._controls():
            self._keep(control)

    def _controls(self) -> Iterator[Element]:
        return (each for each in self.root.iter() if each.tag in {"input", "select", "textarea"} and each.get("name"))

    def _keep(self, control: Element) -> None:
        """Send what stands in the page, as a browser would."""
        name, kind = control.get("name", ""), control.get("type", "")
        if control.tag == "select":
            options = list(control.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            self.sent[name] = [option.get("value", "") for option in chosen]
        elif control.tag == "textarea":
            self.sent[name] = [(control.text or "").removeprefix("\n")]
        elif kind == "file" or (kind in GROUPED and control.get("checked") is None):
            self.sent.setdefault(name, [])
        else:
            self.sent.setdefault(name, []).append(control.get("value", "on" if kind in GROUPED else ""))

    def fill(self, called: str, value: Value) -> None:
        found = self.field(called)
        assert found, f"no field is called {called}"
        name = found[0].get("name", "")
        if isinstance(value, tuple):
            self.sent[name] = [(io.BytesIO(value[0]), value[1])]
        elif isinstance(value, bool):
            self.sent[name] = [found[0].get("value", "on")] if value else []
        elif found[0].tag == "select":
            self.sent[name] = [next(o.get("value", "") for o in found[0].iter("option") if value in words_of(o))]
        elif found[0].get("type") in GROUPED:
            wanted = value if isinstance(value, list) else [value]
            self.sent[name] = [self._choice(found, words).get("value", "on") for words in wanted]
        else:
            self.sent[name] = [value]

    def field(self, called: str) -> list[Element]:
        """The controls of a legend, a label, an aria-label, or, where words are not unique, a name."""
        for group in self.root.iter("fieldset"):
            if any(words_of(legend).removesuffix(OPTIONAL) == squashed(called) for legend in group.iter("legend")):
                return [each for each in group.iter("input") if each.get("name")]
        ids = {label.get("for") for label in self._labels(called)}
        found = [each for each in self._controls() if each.get("id") in ids or each.get("aria-label") == called]
        found = found or [each for each in self._controls() if each.get("name") == called]
        assert len({each.get("name") for each in found}) < 2, f"several fields are called {called}"
        return found

    def _labels(self, called: str) -> list[Element]:
        return [each for each in self.root.iter("label") if words_of(each).removesuffix(OPTIONAL) == squashed(called)]

    def _choice(self, group: list[Element], words: str) -> Element:
        ids = {label.get("for") for label in self._labels(words)}
        return next(each for each in group if each.get("id") in ids)


class Visitor:
    """One person's browser."""

    def __init__(self, app: Flask) -> None:
        self.client: Client = app.test_client()  # type: ignore[assignment]
        self.address = ""
        self.html = ""
        self.page = Element("html")

    def go(self, address: str) -> "Visitor":
        return self._look(self.client.get(address), 200)

    def follow(self, words: str, *, beside: str = "") -> "Visitor":
        """Follow the link of these words, in the row or section that names `beside`."""
        links = self._within(beside, "a")
        exactly = [link for link in links if _answers_to(link, words)]
        found = exactly or [link for link in links if squashed(words) in words_of(link)]
        assert found, f"no link {words} on {self.address}"
        return self.go(found[0].get("href", ""))

    def press(
        self, words: str, fields: Mapping[str, Value] | None = None, *, beside: str = "", answer: int = 200
    ) -> "Visitor":
        """Fill in the form of this button and send it."""
        fields = fields or {}
        forms = [Form(root) for root in self._within(beside, "form") if self._button(root, words) is not None]
        assert forms, f"no button {words} on {self.address}"
        form = next((form for form in forms if all(map(form.field, fields))), forms[0])
        button = self._button(form.root, words)
        assert button is not None
        for called, value in fields.items():
            form.fill(called, value)
        if button.get("name"):
            form.sent[button.get("name", "")] = [button.get("value", "")]
        address = button.get("formaction") or form.root.get("action") or self.address
        if form.root.get("method", "get") == "get":
            return self._look(self.client.get(address.split("?")[0], query_string=form.sent), answer)
        return self._look(self.client.post(address, data=form.sent), answer)

    def reads(self, *words: str) -> bool:
        """Whether all of this can be read on the page, however it is broken into lines."""
        text = words_of(next(self.page.iter("body")))
        missing = [each for each in words if squashed(each) not in text]
        assert not missing, f"{missing} not on {self.address}: {text}"
        return True

    def lacks(self, words: str) -> bool:
        return squashed(words) not in words_of(next(self.page.iter("body")))

    def text(self, mark: str) -> str:
        """What stands in the element of this id or class."""
        named = (each for each in self.page.iter() if mark in {each.get("id"), *(each.get("class") or "").split()})
        return words_of(next(named))

    def photograph(self) -> bytes:
        """A picture of the page's QR code: each dark square of its drawing, ten pixels wide."""
        code = next(
            each for each in self.page.iter() if "qr" in (each.get("class") or "").split() and each.get("viewBox")
        )
        side = int((code.get("viewBox") or "").split()[-1])
        picture = Image.new("L", (side * 10, side * 10), 255)
        for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", "".join(path.get("d") or "" for path in code)):
            picture.paste(0, (int(x) * 10, int(y) * 10, int(x) * 10 + 10, int(y) * 10 + 10))
        made = io.BytesIO()
        picture.save(made, "PNG")
        return made.getvalue()

    def _look(self, response: TestResponse, answer: int) -> "Visitor":
        while response.status_code in {302, 303}:
            response = self.client.get(response.location)
        self.address = response.request.full_path.removesuffix("?")
        self.html = response.text
        self.page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(self.html)
        said = words_of(next(self.page.iter("body")))
        assert response.status_code == answer, f"{response.status_code} on {self.address}: {said}"
        return self

    def _within(self, beside: str, tag: str) -> list[Element]:
        if not beside:
            return list(self.page.iter(tag))
        rows = [row for row in self.page.iter() if row.tag in ROWS and squashed(beside) in words_of(row)]
        found = [each for row in reversed(rows) for each in row.iter(tag)]
        assert found, f"nothing beside {beside} on {self.address}"
        return found

    def _button(self, form: Element, words: str) -> Element | None:
        return next((each for each in form.iter("button") if _answers_to(each, words)), None)
