"""How well residents' own words find services: precision and recall of the first three answers on 200 queries."""

import sys

from tests.labelled import marks

LEAST = 0.9


def main() -> int:
    for part, words in (("tuned", "used for tuning"), ("held", "held out"), ("", "all")):
        found = marks(part)
        print(
            f"{words:16} {found.queries:4d} queries  precision {found.precision:.3f}  recall {found.recall:.3f}"
            f"  first right {found.first:.3f}"
        )
    for query, titles in marks().missed:
        print(f"  missed: {query} -> {'、'.join(titles) or 'nothing'}")
    return 0 if marks().recall >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
