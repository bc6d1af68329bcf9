"""`touchline verify-receipt`: whether a receipt of an erasure is what its company signed.

Needs no workspace and no network. Exit 0: signed, by the key asked for, and nothing was left; 1:
one of these is not so; 2: it is no receipt.
"""

import argparse
import json
import sys

from touchline.cli import language
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


def run(args: argparse.Namespace) -> int:
    found = check(read_receipt(args.file), args.key, path=args.file)
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
        json.dump(told, sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        request, at = (str(found.receipt.get(name, "")) for name in ("request", "done_at"))
        line = words[said].format(request=request, at=at, hits=found.hits)
        print(line if line.isprintable() else ascii(line))
        print(words["key"].format(fingerprint=found.fingerprint))
    if args.key is None and found.is_signed:
        print(words["compare"], file=sys.stderr)
    return 0 if found.is_good else 1
