"""`touchline maps`: the exports that an import recognises by their columns, and their maps."""

import argparse

from touchline.cli import language
from touchline.cli.output import Column, emit
from touchline.collect.importers.shipped import shipped
from touchline.errors import BadInput

__all__ = ["run"]

WORDS = {
    "en": {"name": "Map", "kind": "Import as", "title": "What it reads"},
    "zh": {"name": "映射", "kind": "导入类型", "title": "适用的文件"},
}


def run(args: argparse.Namespace) -> None:
    found = shipped()
    if args.name is not None:
        if args.name not in found:
            why = f"is none of {', '.join(found)}."
            raise BadInput("bad_argument", name="NAME", value=args.name, why=why)
        print(found[args.name].text, end="")
        return
    rows = [
        {"name": one.name, "kind": one.kind, "title": one.title[language()]}
        for one in found.values()
    ]
    columns: list[Column] = [(WORDS[language()][name], name, str) for name in WORDS["en"]]
    emit(rows, columns, args.format, rows)
