"""重新计票: checks the published file of a vote by itself, with Python 3.11 or newer and nothing else installed.

    python recount.py FILE [--head HASH] [--receipt CODE]

It checks the chain of hashes row by row, that every receipt is there once, in order, and that the ballots come to the
published result. `--head` is the number printed on the outcome; `--receipt` finds one's own ballot. It ends with 0 when
all is right and with 1 when something was changed, and says which row. It imports nothing of the portal.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

FIRST = "portal-vote-file 1"


@dataclass
class Recount:
    """What was found: `flaws` in words, and per option the heads and the area of its ballots."""

    header: dict[str, Any] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)
    heads: dict[int, int] = field(default_factory=dict)
    area: dict[int, Decimal] = field(default_factory=dict)
    receipts: dict[str, tuple[int, int]] = field(default_factory=dict)
    head: str = ""


def recount(text: str) -> Recount:
    found = Recount()
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != FIRST or lines[-1]:
        found.flaws.append("这不是投票文件，或文件的开头、结尾被改过。")
        return found
    try:
        found.header = json.loads(lines[1])
        result = found.header["result"]
        known = {option["number"] for option in found.header["options"] if option["label"]} | {0}
    except (ValueError, KeyError, TypeError):
        found.flaws.append("文件第 2 行（说明）被改过，读不出来。")
        return found
    found.head = _rows(found, lines, known)
    _check_end(found, lines)
    try:
        _check_result(found, result)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        found.flaws.append("文件第 2 行（说明）缺了内容，不能与公布的结果核对。")
    return found


def _rows(found: Recount, lines: list[str], known: set[int]) -> str:
    """Follow the chain. After a break it goes on from the hash that stands there, so that only what was changed is
    named.
    """
    last, before = _hash(f"{lines[0]}\n{lines[1]}"), ""
    for number, line in enumerate(lines[2:-2], start=1):
        words, _tab, stated = line.rpartition("\t")
        if _hash(f"{last}\n{words}") != stated:
            first = "（或前一行、或第 2 行的说明）" if number == 1 else "（或它前面一行）"
            found.flaws.append(f"第 {number} 张选票{first}被改过：{words}")
        last = stated
        try:
            position, receipt, choice, area = words.split("\t")
            _note(found, number, (int(position), receipt, int(choice), Decimal(area)), known, before)
            before = receipt
        except (ValueError, InvalidOperation):
            found.flaws.append(f"第 {number} 张选票读不出来：{words}")
    return last


def _note(found: Recount, number: int, row: tuple[int, str, int, Decimal], known: set[int], before: str) -> None:
    position, receipt, choice, area = row
    if position != number:
        found.flaws.append(f"第 {number} 张选票的编号是 {position}：少了或多了选票。")
    if receipt in found.receipts:
        found.flaws.append(f"第 {number} 张选票的回执号 {receipt} 出现了两次。")
    elif receipt < before:
        found.flaws.append(f"第 {number} 张选票没有按回执号排列。")
    if choice not in known:
        found.flaws.append(f"第 {number} 张选票选了没有的选项 {choice}。")
    found.receipts[receipt] = (number, choice)
    found.heads[choice] = found.heads.get(choice, 0) + 1
    found.area[choice] = found.area.get(choice, Decimal(0)) + area


def _check_end(found: Recount, lines: list[str]) -> None:
    if lines[-2] != f"end\t{len(lines) - 4}\t{found.head}":
        found.flaws.append("文件最后一行被改过，或者少了、多了选票。")


def _check_result(found: Recount, result: dict[str, Any]) -> None:
    """The published result against the ballots: each option, who took part, the quorum, what carried."""
    stated = {one["number"]: (one["heads"], Decimal(one["area"])) for one in result["options"]}
    for number in sorted(stated.keys() | found.heads.keys()):
        counted = (found.heads.get(number, 0), found.area.get(number, Decimal(0)))
        if stated.get(number, (0, Decimal(0))) != counted:
            found.flaws.append(
                f"“{_label(found, number)}”公布 {_said(stated.get(number))}，重新计票 {_said(counted)}。"
            )
    took = (sum(found.heads.values()), sum(found.area.values(), Decimal(0)))
    everybody = (result["entitled"]["heads"], Decimal(result["entitled"]["area"]))
    enough, carried = _decided(found, took, everybody)
    if enough != result["quorum_met"]:
        found.flaws.append("公布的“参加人数够不够”与重新计票不同。")
    if carried != sorted(result["carried"]):
        found.flaws.append("公布的“通过没有”与重新计票不同。")


def _decided(found: Recount, took: tuple[int, Decimal], everybody: tuple[int, Decimal]) -> tuple[bool, list[int]]:
    rule = found.header["rule"]
    enough = _met(rule, "quorum", took, everybody)
    put = [option["number"] for option in found.header["options"] if option["carries"]]
    weights = {number: (found.heads.get(number, 0), found.area.get(number, Decimal(0))) for number in put}
    return enough, [number for number in sorted(put) if enough and _met(rule, "passes", weights[number], took)]


def _met(rule: dict[str, Any], name: str, part: tuple[int, Decimal], whole: tuple[int, Decimal]) -> bool:
    """ "过半数" must be passed, "以上" is reached by the number itself; owners by heads and by area."""
    pairs = [(Fraction(part[0]), Fraction(whole[0]))]
    if rule["by_area"]:
        pairs.append((Fraction(part[1]), Fraction(whole[1])))
    share, over = Fraction(*rule[name]), rule[f"{name}_over"]
    return all(all_of and (mine > share * all_of if over else mine >= share * all_of) for mine, all_of in pairs)


def _label(found: Recount, number: int) -> str:
    labels = {option["number"]: option["label"] for option in found.header["options"]}
    return str(labels.get(number, "无效票"))


def _said(figures: tuple[int, Decimal] | None) -> str:
    heads, area = figures or (0, Decimal(0))
    return f"{heads} 票" + (f"、{area:.2f} 平方米" if area else "")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def told(found: Recount, *, head: str = "", receipt: str = "") -> list[str]:
    """What a person reads of it; what she asked beside adds to the flaws."""
    lines = [f"议题：{found.header.get('topic', '')}", f"表决：{found.header.get('question', '')}"]
    numbers = [option["number"] for option in found.header.get("options", [])] + [0] * (0 in found.heads)
    weights = {number: (found.heads.get(number, 0), found.area.get(number, Decimal(0))) for number in numbers}
    lines += [f"  {_label(found, number)}：{_said(weight)}" for number, weight in weights.items()]
    lines.append(f"选票 {sum(found.heads.values())} 张，校验号 {found.head}")
    if head and head.strip().lower() != found.head:
        found.flaws.append("校验号与公示上印的不同：这不是公示的那份文件，或者被改过。")
    code = "".join(receipt.split()).replace("-", "").upper()
    if code and code in found.receipts:
        number, choice = found.receipts[code]
        lines.append(f"回执 {code}：第 {number} 张选票，“{_label(found, choice)}”。")
    elif code:
        found.flaws.append(f"回执 {code} 不在文件里。")
    return lines


def main(arguments: list[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="recount", description="重新计票：核对公布的投票文件。")
    asked.add_argument("file", type=Path, help="公布的投票文件")
    asked.add_argument("--head", default="", help="公示上印的校验号")
    asked.add_argument("--receipt", default="", help="自己的回执号")
    given = asked.parse_args(arguments)
    try:
        text = given.file.read_bytes().decode("utf-8", "replace")
    except OSError:
        sys.stdout.write(f"读不出文件 {given.file}，请核对文件名和它在哪个文件夹。\n")
        return 1
    found = recount(text)
    lines = told(found, head=given.head, receipt=given.receipt)
    lines += [f"不对：{flaw}" for flaw in found.flaws] or ["没有发现问题：每张选票都在，票数和结果与公布的一致。"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found.flaws else 0


if __name__ == "__main__":
    sys.exit(main())
