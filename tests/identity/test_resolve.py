import pytest

from touchline.identity.evidence import RECORD, Decisions
from touchline.identity.kruskal import APART
from touchline.identity.quarantine import BY_HAND
from touchline.identity.rules import Rules
from touchline.model import TYPE_RANK


def groups(*texts):
    return {frozenset(text.split()) for text in texts}


@pytest.fixture(scope="session")
def people(facts):
    def solve(*texts, **options):
        return facts.solve(facts.rows(*texts), **options)

    return solve


def test_rows_that_share_an_identifier_are_one_person(people):
    assert people("u1 c1", "c1 e1", "e2 c2").groups() == groups("u1 c1 e1", "e2 c2")


def test_an_identifier_alone_is_a_person(people):
    assert people("c1", "u2").groups() == groups("c1", "u2")


def test_nothing_gives_nobody(people):
    empty = people()
    assert len(empty.people) == 0
    assert len(empty.evidence) == 0


def test_two_users_of_one_device_stay_two(people):
    solved = people("u1 d1 *5", "u2 d1", "u1 e1", "u2 e2")
    assert solved.groups() == groups("u1 d1 e1", "u2 e2")


def test_a_shared_device_goes_to_the_one_seen_on_it_on_more_days(people):
    few, many = people("u1 c1 *2", "u2 c1 *9"), people("u1 c1 *9", "u2 c1 *2")
    assert frozenset({"u2", "c1"}) in few.groups()
    assert frozenset({"u1", "c1"}) in many.groups()


def test_what_a_guest_types_on_anothers_device_stays_the_guests(people):
    # The guest's address was seen on the device, but also beside the guest's own login.
    solved = people("u1 c1 *20", "e2 c1 *6", "u2 e2")
    assert solved.groups() == groups("u1 c1", "u2 e2")


def test_a_refused_pair_names_the_limit(people):
    solved = people("u1 d1 *5", "u2 d1")
    (edge,), (limit,) = solved.people.refused.tolist(), solved.people.limit.tolist()
    ends = {solved.names[int(solved.evidence.a[edge])], solved.names[int(solved.evidence.b[edge])]}
    assert ends == {"u2", "d1"}
    assert limit == TYPE_RANK["user_id"]


@pytest.mark.parametrize(
    ("letter", "limit"), [("u", 1), ("w", 1), ("m", 1), ("k", 3), ("e", 5), ("p", 3), ("x", 3)]
)
def test_default_limits_hold(people, letter, limit):
    legal = people(*(f"c1 {letter}{n}" for n in range(limit)))
    broken = people(*(f"c1 {letter}{n}" for n in range(limit + 1)), rules=Rules(strong=()))
    assert len(legal.people) == 1
    assert max(sum(n[0] == letter for n in group) for group in broken.groups()) == limit


def test_a_person_has_one_openid_per_app(people):
    two_apps = people("w1 o1@A", "w1 o2@B")
    assert len(two_apps.people) == 1
    one_app = people("w1 o1@A *3", "w1 o2@A", "w1 o3@B")
    assert one_app.groups() == groups("w1 o1@A o3@B", "o2@A")
    assert one_app.people.limit.tolist() == [TYPE_RANK["openid"]]


def test_openids_without_an_app_count_as_one_app(people):
    assert people("w1 o1 *3", "w1 o2", "w1 o3@A").groups() == groups("w1 o1 o3@A", "o2")


def test_openids_gather_with_their_clusters(people):
    solved = people("o1@A p1 *4", "o2@B p2 *4", "p1 p2 *4", "p2 o3@A", "o4@C p1")
    assert solved.groups() == groups("o1@A p1 o2@B p2 o4@C", "o3@A")


def test_lifted_openid_limit_lets_all_be_one(people):
    lifted = Rules.from_document({"identity": {"limits": {"openid": "none"}}})
    solved = people("w1 o1@A", "w1 o2@A", "w1 u1", "w1 u2", rules=lifted)
    assert {len(group) for group in solved.groups()} == {4, 1}


def test_a_person_may_have_a_thousand_cookies(people):
    solved = people(*(f"u1 c{n}" for n in range(1000)), "u1 e1 p1")
    assert len(solved.people) == 1
    assert not solved.held()


def test_a_value_beside_more_than_five_of_one_strong_type_is_held_back(people, facts):
    five = people(*(f"u{n} e{n} c1" for n in range(5)))
    six = people(*(f"u{n} e{n} c1" for n in range(6)))
    assert five.held() == set()
    assert six.held() == {"c1"}
    assert six.groups() == groups(*(f"u{n} e{n}" for n in range(6)), "c1")
    at = facts.node(six, "c1")
    assert six.people.quarantine.cause[at] == TYPE_RANK["user_id"]
    assert six.people.quarantine.count[at] == 6


def test_the_count_is_of_one_type_not_of_all_together(people):
    solved = people("c1 u1", "c1 e1", "c1 e2", "c1 p1", "c1 p2", "c1 m1", "c1 k1", "c1 k2")
    assert solved.held() == set()


@pytest.mark.parametrize("shared", ["e0", "p0", "c0", "d0", "x0", "o0"])
def test_shared_values_of_any_type_are_held_back(people, shared):
    solved = people(*(f"m{n} {shared}" for n in range(1, 8)))
    assert solved.held() == {shared}
    assert len(solved.people) == 8


def test_a_person_of_a_held_value_is_that_value_alone(people):
    solved = people(*(f"u{n} c1" for n in range(6)), "c1 c2")
    assert {"c1"} in solved.groups()
    assert {"c2"} in solved.groups()


def test_a_people_row_is_believed_before_events(facts):
    events = facts.rows("u1 e1 *30")
    solved = facts.solve([*events, facts.Row(("u2", "e1"), kind=RECORD)])
    assert solved.groups() == groups("u1", "u2 e1")


def test_values_set_apart_are_two_people(people, facts):
    apart = Decisions(apart=((facts.node_id("e1"), facts.node_id("e2")),))
    texts = ("u1 e1", "e1 c1", "c1 e2", "e2 p2")
    solved = people(*texts, decisions=apart)
    assert len(people(*texts).people) == 1
    assert solved.groups() == groups("u1 e1 c1", "e2 p2") or solved.groups() == groups(
        "u1 e1", "c1 e2 p2"
    )
    assert solved.people.limit.tolist() == [APART]


def test_set_apart_follows_a_value_into_its_cluster(people, facts):
    pairs = (("e1", "e2"), ("e1", "e3"))
    apart = Decisions(apart=tuple((facts.node_id(a), facts.node_id(b)) for a, b in pairs))
    solved = people("e1 p1 *9", "e2 p2 *9", "e3 p3 *9", "p1 p2 p3", decisions=apart)
    for a, b in pairs:
        assert not any({a, b} <= group for group in solved.groups())
    assert any({"e2", "e3"} <= group for group in solved.groups())


def test_set_apart_values_that_never_met_change_nothing(people, facts):
    apart = Decisions(apart=((facts.node_id("u1"), facts.node_id("u2")),))
    assert people("u1 c1", "u2 c2", decisions=apart).groups() == groups("u1 c1", "u2 c2")


def test_an_unknown_value_in_a_decision_waits(people, facts):
    unknown = facts.node_id("u9")
    decisions = Decisions(((unknown, facts.node_id("u1")),), ((unknown, unknown),), (unknown,))
    assert people("u1 c1", decisions=decisions).groups() == groups("u1 c1")


def test_joined_by_hand_wins_over_what_was_seen(people, facts):
    together = Decisions(together=((facts.node_id("u2"), facts.node_id("d1")),))
    solved = people("u1 d1 *50", "u2 e2", decisions=together)
    assert solved.groups() == groups("u1", "u2 e2 d1")


def test_joined_by_hand_is_no_sign_of_sharing(people, facts):
    mails = [f"e{n}" for n in range(6)]
    together = tuple((facts.node_id("u1"), facts.node_id(mail)) for mail in mails)
    solved = people("u1", *mails, decisions=Decisions(together=together))
    assert solved.held() == set()
    assert max(map(len, solved.groups())) == 6


def test_held_back_by_hand(people, facts):
    solved = people("u1 c1", "u1 e1", decisions=Decisions(quarantined=(facts.node_id("c1"),)))
    assert solved.groups() == groups("u1 e1", "c1")
    assert solved.people.quarantine.cause[facts.node(solved, "c1")] == BY_HAND
    assert solved.people.quarantine.count[facts.node(solved, "c1")] == 0


def test_rules_work_backwards_in_time(people):
    texts = ("u1 p1", "u1 p2", "u1 p3")
    strict = Rules.from_document({"identity": {"limits": {"phone": 1}}})
    assert len(people(*texts).people) == 1
    assert len(people(*texts, rules=strict).people) == 3
