"""`touchline explain`: why a conversion was credited as it was, and what a number is made of."""

import argparse
from typing import Any

from touchline.cli import language
from touchline.cli.figures import figures, named
from touchline.cli.output import Column, digits_of, emit, money, table
from touchline.errors import BadInput

__all__ = ["run"]

WORDS = {
    "en": {
        "at": "Touched at", "days": "Days before", "role": "Role",
        "only": "opener and closer", "opener": "opener", "assist": "assist", "closer": "closer",
        "visitor": "before lead", "lead": "lead", "opportunity": "opportunity",
        "of": "{conversion_id}: {conversions} conversion, {money} {currency}, {at} (goal {goal})",
        "person": "Person {person_id}: {identifiers}", "nobody": "Nobody is known for it.",
        "account": "Account {account_id}: its contacts' touches count.",
        "nothing": "It stands under unattributed: {reason}.",
        "theirs": "Partner {name}: {share:.0%}, {money}; the models share out the rest.",
        "touches": "Touches, oldest first", "credit": "Credit of each touch, by model",
        "sum": "sum", "means": "What it means", "doubt": "When not to believe it",
        "share": "Shares of an aggregate model (*) are averages of a channel's"
        " touches and need not add up to one conversion.",
        "behind": "{model}, {labels}: {credit:,.2f} conversions, {money} {currency}, from"
        " {conversions:,} conversions",
        "elsewhere": "{elsewhere:,.2f} conversions more ({money}) belong to no touch before a"
        " conversion.",
        "conversion_id": "Conversion", "converted_at": "Converted at", "person_id": "Person",
        "parts": "Credit", "credited": "Credited revenue",
    },
    "zh": {
        "at": "触达时间", "days": "距转化天数", "role": "角色",
        "only": "首触兼收口", "opener": "首次触达", "assist": "过程影响", "closer": "最终转化",
        "visitor": "成为线索前", "lead": "线索阶段", "opportunity": "商机阶段",
        "of": "{conversion_id}:{conversions} 个转化,{money} {currency},{at}(转化目标 {goal})",
        "person": "客户 {person_id}:{identifiers}", "nobody": "没有对应的客户。",
        "account": "企业 {account_id}:其全部联系人的触点都计入。",
        "nothing": "计入未归因:{reason}。",
        "theirs": "合作伙伴 {name}:{share:.0%},{money};其余部分由各模型分配。",
        "touches": "触点(从早到晚)", "credit": "各模型给每个触点的归因贡献",
        "sum": "合计", "means": "含义", "doubt": "何时不要相信",
        "share": "带 * 的汇总类模型取该渠道触点的平均值,合计不一定等于一个转化。",
        "behind": "{model},{labels}:{credit:,.2f} 个转化,{money} {currency},"
        "来自 {conversions:,} 个转化",
        "elsewhere": "另有 {elsewhere:,.2f} 个转化({money})不属于任何转化前的触点。",
        "conversion_id": "转化编号", "converted_at": "转化时间", "person_id": "客户",
        "parts": "归因转化数", "credited": "归因金额",
    },
}  # fmt: skip
LABELS = ("channel", "source", "medium", "campaign", "ad_group", "term", "content")
ASKED = (*LABELS, "landing_page", "content_id", "stage")


def run(args: argparse.Namespace) -> int:
    """A conversion by its id, or by `--model` and labels the conversions behind a number."""
    from touchline.jobs.access import reading
    from touchline.jobs.explaining import explain, number
    from touchline.jobs.people.mirror import KeepingRegistry

    if args.notes:
        return _print_notes(args.format)
    if args.dir is None or (args.conversion is None) == (args.model is None):
        why = "give DIR and CONVERSION_ID, DIR and --model, or --notes."
        raise BadInput("bad_argument", name="CONVERSION_ID", value=args.conversion or "", why=why)
    asked: dict[str, Any] = {
        "goal": args.goal,
        "window": args.window,
        "from": args.start,
        "to": args.end,
        "as_of": args.as_of,
        **{name: getattr(args, name) for name in ("half_life", "positions", "weights")},
    }
    with reading(args.dir) as workspace:
        registry = KeepingRegistry(workspace)
        if args.conversion is not None:
            asked |= {"conversion": args.conversion, "models": args.models}
            found = explain(workspace, registry, asked)
            return _show(found, args.format)
        asked |= {"model": args.model, "limit": args.limit}
        asked |= {name: value for name in ASKED if (value := getattr(args, name)) is not None}
        return _show_number(number(workspace, registry, asked), args.format)


def _show(found: dict[str, Any], output: str) -> int:
    if output != "table":
        emit(_flat(found), [], output, found)
        return named(found)
    words, said = _words(), found["models"]
    print(
        words["of"].format(**found | {"money": _money(found, "revenue")}, at=found["converted_at"])
    )
    print(_whose(found, words))
    if "partner" in found:
        share = found["partner"]
        amount = _money({**share, "currency": found["currency"]}, "revenue")
        print(words["theirs"].format(**share, money=amount))
    if not found["touches"]:
        print(words["nothing"].format(reason=words[found["status"]]))
    else:
        table(found["touches"], _touch_columns(found["touches"]), words["touches"])
        table(_credit_rows(found), _credit_columns(found), words["credit"])
        print(words["share"])
    _notes_table([(one["model"], one["note"]) for one in said])
    return named(found)


def _whose(found: dict[str, Any], words: dict[str, str]) -> str:
    lines = [words["nobody"]]
    if found["person_id"] is not None:
        values = " · ".join(f"{one['type']}:{one['value']}" for one in found["identifiers"][:5])
        lines = [words["person"].format(person_id=found["person_id"], identifiers=values or "–")]
    if found["account_id"] is not None:
        lines.append(words["account"].format(**found))
    return "\n".join(lines)


def _touch_columns(touches: list[dict[str, Any]]) -> list[Column]:
    words = _words()
    shown = [name for name in ("campaign", "stage", "landing_page") if _is_told(touches, name)]
    return [
        (words["at"], "touched_at", str),
        (words["days"], "days_before", lambda x: f"{x:,.1f}"),
        (words["role"], "role", lambda x: words[x]),
        (words["channel"], "channel", str),
        *((words[name], name, lambda x: words.get(x or "", x or "–")) for name in shown),
    ]


def _is_told(touches: list[dict[str, Any]], name: str) -> bool:
    return any(touch[name] is not None for touch in touches)


def _credit_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """A line a model: what each touch has, and all of them."""
    lines: list[dict[str, Any]] = []
    for one in found["models"]:
        star = "*" if one["kind"] == "aggregate" else ""
        line: dict[str, Any] = {"model": one["model"] + star, "sum": _part(one, found["currency"])}
        for number, touch in enumerate(found["touches"]):
            line[str(number)] = _part(touch["credit"][one["model"]], found["currency"])
        lines.append(line)
    return lines


def _credit_columns(found: dict[str, Any]) -> list[Column]:
    words = _words()
    touches = enumerate(found["touches"])
    return [
        (words["model"], "model", str),
        *((f"{number + 1} {touch['channel']}", str(number), str) for number, touch in touches),
        (words["sum"], "sum", str),
    ]


def _part(part: dict[str, Any], currency: str) -> str:
    return f"{part['conversions']:.3f} · {_money({**part, 'currency': currency}, 'revenue')}"


def _flat(found: dict[str, Any]) -> list[dict[str, Any]]:
    """For CSV, a line a touch and model."""
    return [
        {
            "conversion_id": found["conversion_id"],
            "model": model,
            **{name: value for name, value in touch.items() if name != "credit"},
            **part,
        }
        for touch in found["touches"]
        for model, part in touch["credit"].items()
    ]


def _show_number(found: dict[str, Any], output: str) -> int:
    words, digits = _words(), digits_of(found["currency"])
    columns: list[Column] = [
        (words["conversion_id"], "conversion_id", str),
        (words["converted_at"], "converted_at", str),
        (words["person_id"], "person_id", lambda x: x or "–"),
        (words["revenue"], "revenue", lambda x: money(x, digits)),
        (words["touched"], "touches", str),
        (words["parts"], "credit", lambda x: f"{x:,.3f}"),
        (words["credited"], "credited_revenue", lambda x: money(x, digits)),
    ]
    if output == "table":
        labels = ", ".join(f"{k}={v or '–'}" for k, v in found["labels"].items()) or "–"
        amount = _money(found, "revenue")
        print(words["behind"].format(**{**found, "labels": labels, "money": amount}))
    emit(found["rows"], columns, output, found)
    if output == "table":
        if found["elsewhere"]:
            left = money(found["elsewhere_revenue"], digits)
            print(words["elsewhere"].format(**found, money=left))
        _notes_table([(found["model"], found["note"])])
    return named(found)


def _print_notes(output: str) -> int:
    from touchline.jobs.explaining import model_notes

    found = model_notes()
    if output == "table":
        _notes_table(list(found.items()))
    else:
        rows = [{"model": name, **note[language()]} for name, note in found.items()]
        emit(rows, [], output, found)
    return 0


def _notes_table(notes: list[tuple[str, dict[str, Any]]]) -> None:
    words = _words()
    rows = [{"model": model, **note[language()]} for model, note in notes]
    table(rows, [(words[name], name, str) for name in ("model", "means", "doubt")])


def _money(found: dict[str, Any], name: str) -> str:
    return money(found[name], digits_of(found["currency"]))


def _words() -> dict[str, str]:
    words = figures()
    return words | {"touched": words["touches"]} | WORDS[language()]
