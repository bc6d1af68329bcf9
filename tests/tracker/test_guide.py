"""The guide's page, saved as it stands and opened in a browser, reports what the guide says, and
the report page shows it.
"""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "guides/connect-your-site.md", DOCS / "zh/connect-your-site.md"]


@pytest.mark.parametrize("guide", PAGES, ids=["en", "zh"])
def test_the_page_of_the_guide_reports_a_visit_and_a_click(page, site, guide):
    text = guide.read_text(encoding="utf-8")
    shown = re.search(r"```html output\n(.*?)```", text, re.DOTALL)[1].strip()
    saved = re.search(r"```html file=index.html\n(.*?)```", text, re.DOTALL)[1]
    assert shown in saved, "the page has the line that touchline snippet prints"
    own = f"http://shop.example:{site.port}"
    saved = saved.replace("http://127.0.0.1:8700", own).replace("site-key", "write-key")
    site.pages["/"] = saved
    page.goto(site.url("/?utm_source=weibo"))
    page.click("button")
    view, click = site.events(2)
    assert (view["type"], view["source_name"]) == ("page", "weibo")
    assert click["name"] in ("Brochure Wanted", "索取资料")
    assert click["properties"] == {"product": "A7"}
    page.goto(f"{site.collector}/#key=admin-key")
    page.fill("[name=from]", "2100-01-01")  # other tests' pages report conversions
    page.wait_for_selector("#arrived tr:nth-child(3)")
    assert click["name"] in page.inner_text("#arrived")
