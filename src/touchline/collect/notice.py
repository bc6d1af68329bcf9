"""What a visitor sees who cannot be led on: one small page, in their language."""

from touchline.collect.protocol import RETRY_AFTER_S, Answer

__all__ = ["language", "notice"]

_TEXTS = {
    404: (
        ("This link leads nowhere", "It may have been copied without its end."),
        ("链接不存在", "可能没有复制完整,请核对后再打开。"),
    ),
    410: (
        ("This link has expired", "What it led to is no longer offered here."),
        ("链接已失效", "链接已过有效期。"),
    ),
    503: (
        ("One moment, please", "This link cannot be opened just now. Try it again shortly."),
        ("请稍候", "链接暂时无法打开,请稍后再试。"),
    ),
}
_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<style>body{{font:16px/1.6 system-ui,sans-serif;margin:20vh auto 0;max-width:24em;padding:0 1.5em;\
color:#222;background:#fff}}h1{{font-size:1.3em;margin:0}}p{{color:#666;margin:.4em 0}}
@media(prefers-color-scheme:dark){{body{{color:#eee;background:#181818}}p{{color:#aaa}}}}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept-Language"),
)


def notice(status: int, lang: str) -> Answer:
    """`lang`: "en" or "zh"; of a status without words of its own those of 404."""
    title, text = _TEXTS.get(status, _TEXTS[404])[lang == "zh"]
    page = _PAGE.format(lang="zh-CN" if lang == "zh" else "en", title=title, text=text)
    after = ((b"retry-after", b"%d" % RETRY_AFTER_S),) if status == 503 else ()
    return Answer(status, page.encode(), b"text/html; charset=utf-8", (*_HEADERS, *after))


def language(accepted: str) -> str:
    """Of the two languages that of an Accept-Language header."""
    return "zh" if accepted.lower().startswith("zh") else "en"
