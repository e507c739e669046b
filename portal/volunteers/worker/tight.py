"""Templates whose rows come by the hundred are read without their indentation: a third of the roster was spaces."""

import re
from collections.abc import Iterator

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

# By name: nothing of these is shown with its spaces kept.
TIGHT = frozenset({"volunteers/worker/roster.html"})
_INDENT = re.compile(r"\s*\n\s*")


class Tight(Extension):
    """Leaves one line break of every indentation, once, when the template is compiled."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token] | TokenStream:
        if stream.name not in TIGHT:
            return stream
        return (_tightened(token) for token in stream)


def _tightened(token: Token) -> Token:
    if token.type != "data":
        return token
    return Token(token.lineno, token.type, _INDENT.sub("\n", token.value))
