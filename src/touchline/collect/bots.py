"""User agent → is it a program that reads pages by itself? Words are matched whole: a CUBOT phone
is a phone.
"""

import re
from functools import lru_cache

__all__ = ["is_bot"]

# Names that end so ("Googlebot", "bingbot/2.0", "360Spider").
_ENDS = r"(?:bot|spider|crawler|scraper|fetcher)s?(?![a-z])"
# Words that stand for themselves.
_WORDS = """
headlesschrome headless phantomjs slimerjs puppeteer playwright selenium webdriver prerender
lighthouse pagespeed gtmetrix pingdom statuscake site24x7 newrelicpinger
curl wget libwww-perl httpie python-requests python-urllib python-httpx aiohttp httpx urllib3 scrapy
go-http-client apache-httpclient java-http-client node-fetch undici axios got guzzlehttp ruby
faraday mechanize nutch heritrix httrack ia_archiver zgrab masscan nmap nikto sqlmap nuclei wpscan
feedfetcher feedburner feedly facebookexternalhit facebookcatalog meta-externalagent
meta-externalfetcher slurp mediapartners-google adsbot-google google-inspectiontool
google-read-aloud googleother google-extended apis-google bingpreview yandeximages embedly
skypeuripreview vkshare w3c_validator chatgpt-user claude-user claude-web anthropic-ai
perplexity-user cohere-ai mistralai-user omgili screaming-frog
"""
_PATTERN = re.compile(
    rf"{_ENDS}|(?<![a-z0-9])(?:{'|'.join(re.escape(word) for word in _WORDS.split())})(?![a-z])"
    r"|screaming frog|\+https?://[^)\s]*bot|compatible; *crawl"
)
_PHONE = re.compile(r"\bcubot(?![a-z])")


@lru_cache(maxsize=1 << 14)
def is_bot(user_agent: str | None) -> bool:
    """Whether a user agent says it is no person's browser. None and empty say nothing."""
    if not user_agent:
        return False
    text = _PHONE.sub(" ", user_agent[:1024].lower())
    return _PATTERN.search(text) is not None
