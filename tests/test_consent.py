"""Whether somebody may be met: the last word of each identifier, the strictest of all of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.model import BASES, LIFTED, Consent, Purpose, permission

A, B = b"a" * 16, b"b" * 16
NOW = 100
MARKETING = Purpose(name="marketing", channels=("email", "sms"))
LINKING = Purpose(name="linking", needs_grant=False)
SHARING = Purpose(name="sharing", is_separate=True)


def said(at, answer, node=A, channel="", purpose="marketing", **more):
    known = more.pop("known_at_us", at)
    return Consent(
        act=bytes([at % 256]) * 16,
        node=node,
        purpose=purpose,
        channel=channel,
        is_granted=answer == "yes",
        at_us=at,
        known_at_us=known,
        **more,
    )


def may(*rows, purpose=MARKETING, channel="email", at=NOW, **more):
    return permission(rows, purpose, channel, at_us=at, **more)


def test_a_purpose_that_needs_a_yes_is_not_allowed_without_one_and_another_is():
    assert may() == permission([], MARKETING, "sms", at_us=NOW)
    assert (may().is_allowed, may().why) == (False, "unasked")
    assert may(purpose=LINKING, channel="").why == "not_needed"


def test_the_last_word_of_an_identifier_holds_and_of_one_moment_the_no():
    yes, no = said(1, "yes"), said(2, "no")
    assert may(yes).is_allowed
    assert may(yes, no).by is no
    assert may(yes, no, said(3, "yes")).is_allowed
    assert not may(said(5, "yes"), said(5, "no")).is_allowed


def test_a_withdrawal_holds_from_its_own_moment_and_not_before():
    rows = [said(1, "yes"), said(50, "no")]
    assert may(*rows, at=49).is_allowed
    assert not may(*rows, at=50).is_allowed


def test_a_clock_that_runs_ahead_neither_postpones_a_no_nor_lets_a_yes_outlive_one():
    assert not may(said(1, "yes"), said(10**9, "no", known_at_us=2)).is_allowed
    assert not may(said(10**9, "yes", known_at_us=2), said(3, "no")).is_allowed


def test_a_no_to_one_channel_is_taken_back_for_that_channel_only():
    no = said(2, "no", channel="email")
    assert not may(said(1, "yes"), no, said(3, "yes")).is_allowed
    assert may(said(1, "yes"), no, channel="sms").is_allowed
    assert may(no, said(3, "yes", channel="email")).is_allowed
    assert not may(said(1, "yes", channel="email"), said(2, "no")).is_allowed
    assert may(said(1, "no"), said(2, "yes", channel="email")).is_allowed
    assert not may(said(1, "no"), said(2, "yes", channel="email"), channel="sms").is_allowed


def test_by_all_channels_at_once_nobody_is_met_who_refused_one_or_agreed_to_one_alone():
    yes, no = said(1, "yes"), said(2, "no", channel="email")
    assert may(yes, channel="").is_allowed
    assert may(yes, no, channel="").by is no
    assert may(yes, no, said(3, "yes", channel="email"), channel="").is_allowed
    assert may(said(1, "yes", channel="email"), channel="").why == "unasked"


def test_a_lifted_no_is_no_yes():
    no, lifted = said(1, "no"), said(2, "yes", basis=LIFTED)
    assert may(no, lifted).why == "unasked"
    assert may(no, lifted, said(1, "yes", node=B)).is_allowed
    assert may(
        said(1, "yes", basis=LIFTED, purpose="linking"), purpose=LINKING, channel=""
    ).why == ("not_needed")


def test_of_the_identifiers_of_a_person_the_strictest_holds():
    assert not may(said(1, "no", node=A), said(2, "yes", node=B)).is_allowed
    assert may(said(2, "yes", node=B)).is_allowed


def test_sharing_needs_a_consent_of_its_own_and_a_child_that_of_its_guardian():
    yes = said(1, "yes", purpose="sharing")
    assert may(yes, purpose=SHARING).why == "not_separate"
    own = said(1, "yes", purpose="sharing", basis="separate_consent")
    assert may(own, purpose=SHARING).is_allowed
    assert may(own, purpose=SHARING, is_child=True).why == "no_guardian"
    of_guardian = said(1, "yes", purpose="sharing", basis="guardian_consent")
    assert may(of_guardian, purpose=SHARING, is_child=True).is_allowed
    assert may(purpose=LINKING, is_child=True).why == "no_guardian"


rows = st.lists(
    st.builds(
        Consent,
        act=st.binary(min_size=1, max_size=1),
        node=st.sampled_from([A, B, b"c" * 16]),
        purpose=st.sampled_from(["marketing", "linking", "sharing"]),
        channel=st.sampled_from(["", "email", "sms"]),
        is_granted=st.booleans(),
        basis=st.sampled_from((*BASES, LIFTED)),
        at_us=st.integers(0, 6),
        known_at_us=st.integers(0, 6),
    ),
    max_size=12,
)
purposes = st.sampled_from([MARKETING, LINKING, SHARING])
channels = st.sampled_from(["", "email", "sms"])
moments = st.integers(0, 7)
asked = {"purpose": purposes, "channel": channels, "at": moments, "is_child": st.booleans()}


def parted(found):
    """Two persons' rows: no identifier is both."""
    return [r for r in found if r.node == A], [r for r in found if r.node != A]


@settings(max_examples=1000)
@given(rows, st.fixed_dictionaries(asked))
def test_no_merge_widens_consent(found, question):
    left, right = parted(found)
    whole, apart = may(*found, **question), [may(*half, **question) for half in (left, right)]
    if any(half.why == "withdrawn" for half in apart):
        assert whole.why == "withdrawn"
    if whole.is_allowed:
        assert any(half.is_allowed for half in apart)


@given(rows, st.fixed_dictionaries(asked), st.randoms())
def test_the_order_of_the_rows_and_their_repetition_change_nothing(found, question, chance):
    shuffled = [*found, *found[:3]]
    chance.shuffle(shuffled)
    assert may(*shuffled, **question) == may(*found, **question)


@given(rows, st.fixed_dictionaries(asked), st.sampled_from([A, B]))
def test_a_withdrawal_ends_it_at_once_whatever_was_said_before(found, question, node):
    channel = question["channel"]
    no = said(7, "no", node=node, channel=channel, purpose=question["purpose"].name)
    assert may(*found, no, **{**question, "at": 7}).why == "withdrawn"
