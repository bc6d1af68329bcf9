"""`touchline verify-receipt`: whether a receipt of an erasure is what its company signed.

Needs no workspace and no network. Exit 0: signed, by the key asked for, and nothing was left; 1:
one of these is not so; 2: it is no receipt.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from touchline.cli import language
from touchline.cli.output import as_json
from touchline.errors import BadInput
from touchline.identity.receipt import check, read_receipt

__all__ = ["run"]

WORDS = {
    "en": {
        "good": "The receipt of request {request} is genuine: {at}, nothing left.",
        "unsigned": "The receipt was changed after it was signed, or was never signed.",
        "other": "The receipt was signed with another key than the one given.",
        "hits": "The receipt is genuine, and says that {hits} traces were left.",
        "key": "Key: {fingerprint}",
        "compare": "Compare the key with the one the company has published, or give it by --key.",
    },
    "zh": {
        "good": "请求 {request} 的删除凭证真实有效:{at} 完成,无残留。",
        "unsigned": "凭证在签名后被改动,或从未签名。",
        "other": "凭证的签名密钥与指定的密钥不符。",
        "hits": "凭证真实,但其中记载仍有 {hits} 处残留。",
        "key": "密钥指纹:{fingerprint}",
        "compare": "请与企业公布的密钥指纹核对,或用 --key 指定。",
    },
}


def _keys(given: Sequence[str]) -> Iterator[str]:
    """Keys as given, and those of lists that `touchline keys receipts --format json` wrote."""
    for key in given:
        path = Path(key)
        if not path.is_file():
            yield key
            continue
        try:
            yield from (one["public_key"] for one in json.loads(path.read_bytes()))
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput("file_unreadable", path=path, format="JSON", reason=error) from error


def run(args: argparse.Namespace) -> int:
    found = check(read_receipt(args.file), *_keys(args.key), path=args.file)
    words = WORDS[language()]
    if not found.is_signed:
        said = "unsigned"
    elif not found.is_expected:
        said = "other"
    else:
        said = "hits" if found.hits else "good"
    told = {
        "is_good": found.is_good,
        "is_signed": found.is_signed,
        "is_expected": found.is_expected,
        "hits": found.hits,
        "fingerprint": found.fingerprint,
        "receipt": found.receipt,
    }
    if args.format == "json":
        as_json(told)
    else:
        request, at = (str(found.receipt.get(name, "")) for name in ("request", "done_at"))
        line = words[said].format(request=request, at=at, hits=found.hits)
        print(line if line.isprintable() else ascii(line))
        print(words["key"].format(fingerprint=found.fingerprint))
    if not args.key and found.is_signed:
        print(words["compare"], file=sys.stderr)
    return 0 if found.is_good else 1
