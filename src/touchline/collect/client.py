"""User agent → the device, system and browser it names, as far as they are known.

Browsers hide more every year (a desktop's iPad, a frozen version); what is not said is left out,
never guessed. Words are those of the ua-parser project, which knows thousands of devices; what it
misses of China (HarmonyOS, browsers of phone makers) is added here.
"""

import re
from functools import lru_cache
from typing import Any

from touchline.collect.sources import in_app

__all__ = ["client_of"]

MAX_AGENT = 1024

_TV = re.compile(r"\b(smart-?tv|hbbtv|googletv|android tv|appletv|bravia|crkey|aft[a-z]|tizen.*tv)")
_TABLET = re.compile(r"\b(ipad|tablet|kindle|silk|playbook|matepad|mediapad)")
_PHONE = re.compile(r"\b(iphone|ipod|mobile|windows phone|phone)\b")
_CONSOLE = re.compile(r"\b(playstation|xbox|nintendo)")
_DESKTOP = re.compile(r"\b(windows nt|macintosh|x11|cros|linux x86_64)\b")
# Systems and browsers by their own words, before what the parser says.
_HARMONY = re.compile(r"\b(?:open)?harmony(?:os)?[/ ]?(\d+(?:\.\d+)?)?", re.IGNORECASE)
_BROWSERS = re.compile(
    r"\b(HuaweiBrowser|MiuiBrowser|VivoBrowser|HeyTapBrowser|OppoBrowser|MQQBrowser|UCBrowser|"
    r"UCWEB|Quark|QuarkPC|360SE|360EE|QihooBrowser|Maxthon|LBBROWSER|SogouMobileBrowser|MetaSr|"
    r"2345Explorer|BIDUBrowser|Via)[/ ]?v?(\d+(?:\.\d+)?)?"
)
_NAMES = {
    "HuaweiBrowser": "Huawei Browser",
    "MiuiBrowser": "Xiaomi Browser",
    "VivoBrowser": "vivo Browser",
    "HeyTapBrowser": "OPPO Browser",
    "OppoBrowser": "OPPO Browser",
    "MQQBrowser": "QQ Browser",
    "UCBrowser": "UC Browser",
    "UCWEB": "UC Browser",
    "QuarkPC": "Quark",
    "360SE": "360 Browser",
    "360EE": "360 Browser",
    "QihooBrowser": "360 Browser",
    "LBBROWSER": "Liebao",
    "SogouMobileBrowser": "Sogou Browser",
    "MetaSr": "Sogou Browser",
    "2345Explorer": "2345",
    "BIDUBrowser": "Baidu Browser",
    "Mac OS X": "macOS",
}
# What the parser calls a device that it does not know.
_UNKNOWN = frozenset(
    ("Other", "Generic", "Smartphone", "Generic_Android", "Spider", "Browser", "Desktop", "Tablet")
)


@lru_cache(maxsize=1)
def _parser() -> Any:
    # Loading its rules takes a moment, and processes that make no events do without.
    from ua_parser import Parser
    from ua_parser.loaders import load_builtins
    from ua_parser.regex import Resolver

    return Parser(Resolver(load_builtins()))


@lru_cache(maxsize=1 << 14)
def client_of(user_agent: str) -> dict[str, str]:
    """device_type, brand, model, os, os_version, browser, browser_version, app: those known.

    The answer is shared: do not change it.
    """
    agent = user_agent[:MAX_AGENT]
    lower = agent.lower()
    parsed = _parser().parse(agent)
    system, browser, device = parsed.os, parsed.user_agent, parsed.device
    found = {
        "device_type": _device_type(lower),
        "brand": _known(device.brand) if device else None,
        "model": _known(device.model) if device else None,
        "os": _known(system.family) if system else None,
        "os_version": _version(system) if system else None,
        "browser": _known(browser.family) if browser else None,
        "browser_version": _version(browser) if browser else None,
        "app": in_app(agent),
    }
    if harmony := _HARMONY.search(agent):
        found |= {"os": "HarmonyOS", "os_version": harmony[1]}
    if own := _BROWSERS.search(agent):
        found |= {"browser": _NAMES.get(own[1], own[1]), "browser_version": own[2]}
    return {name: value for name, value in found.items() if value}


def _device_type(agent: str) -> str | None:
    if _TV.search(agent):
        return "tv"
    if _CONSOLE.search(agent):
        return "console"
    # Android calls a phone Mobile, and a tablet nothing.
    if _TABLET.search(agent) or ("android" in agent and "mobile" not in agent):
        return "tablet"
    if _PHONE.search(agent):
        return "phone"
    return "desktop" if _DESKTOP.search(agent) else None


def _known(name: str | None) -> str | None:
    return None if not name or name in _UNKNOWN else _NAMES.get(name, name)[:64]


def _version(of: Any) -> str | None:
    """Two numbers are enough to group by; the rest is in the user agent."""
    return ".".join(part for part in (of.major, of.minor) if part)[:32] or None
