"""A call that says it is a touchpoint is one by itself, under the rules in force."""

import json

import pytest

from touchline.collect import segment
from touchline.collect.event import to_event
from touchline.collect.quick import Quick
from touchline.collect.site import Site
from touchline.model import TOUCH, Flag, RawRequest

SITE = Site(workspace="w")


def event_of(properties, kind="track", **context):
    call = {"messageId": "m", "event": "Call", "anonymousId": "d1", "properties": properties}
    body = json.dumps({**call, "context": context}).encode()
    request = RawRequest(1_790_000_000_000_000, "web", f"/v1/{kind}", body, b"r" * 16)
    (item,) = segment.read(request).items
    found = to_event(item, request, None, SITE)
    (made,) = Quick(SITE).events(request)
    assert made.event.flags == found.flags
    assert (made.event.channel, made.event.campaign) == (found.channel, found.campaign)
    return found


def test_its_channel_comes_from_what_it_says_and_stays_the_rules():
    found = event_of({"touchpoint": True, "source": "baidu", "medium": "cpc", "campaign": "a"})
    assert (found.channel, found.source_name, found.campaign) == ("Paid Search", "baidu", "a")
    assert found.flags & TOUCH == Flag.EXPLICIT_CHANNEL
    assert found.flags & Flag.CHANNEL_BY_RULE
    assert found.flags & Flag.BRINGS_CAMPAIGN


def test_properties_win_over_the_context_label_by_label():
    campaign = {"source": "baidu", "medium": "cpc", "name": "b"}
    found = event_of({"touchpoint": True, "campaign": "a"}, campaign=campaign)
    assert (found.source_name, found.medium, found.campaign) == ("baidu", "cpc", "a")


def test_without_any_label_it_is_a_direct_touch():
    found = event_of({"touchpoint": True})
    assert (found.channel, found.flags & TOUCH) == ("Direct", Flag.EXPLICIT_CHANNEL)


def test_a_channel_of_its_own_is_not_the_rules():
    found = event_of({"touchpoint": True, "channel": "私域"})
    assert found.channel == "私域"
    assert not found.flags & Flag.CHANNEL_BY_RULE


@pytest.mark.parametrize("said", [False, "true", 1, None, {}])
def test_only_true_says_so(said):
    assert not event_of({"touchpoint": said}).flags & Flag.EXPLICIT_CHANNEL


def test_a_page_view_is_none():
    assert not event_of({"touchpoint": True}, kind="page").flags & Flag.EXPLICIT_CHANNEL
