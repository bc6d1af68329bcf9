"""The ledger as analysts join it: what holds of each identifier."""

import pytest

from touchline.identity.mirror import write_noted
from touchline.model import Consent
from touchline.storage.columns import CONSENT
from touchline.storage.consent import written


@pytest.mark.parametrize("is_first", [True, False])
def test_what_analysts_join_is_what_each_identifier_said_last(workspace, is_first):
    def row(node, at, known, is_granted, channel=""):
        told = {"purpose": "marketing", "channel": channel, "basis": "consent", "source": "form"}
        ids = {"act": node + bytes([at, known, is_granted]) * 2, "node": node * 8}
        return Consent(**told, **ids, is_granted=is_granted, at_us=at, known_at_us=known)

    said = [
        row(b"aa", 5, 5, True), row(b"aa", 7, 6, False), row(b"aa", 6, 9, True),
        row(b"bb", 3, 3, False), row(b"bb", 4, 4, True), row(b"bb", 1, 9, False, "email"),
    ]  # fmt: skip
    workspace.state.write(*written(workspace.state, said if is_first else said[::-1]))
    assert write_noted(workspace) == ["traits", "consent"]
    assert not write_noted(workspace)
    (rows,) = workspace.lake.mirrors["consent"].snapshot().read(CONSENT.names)
    assert [tuple(one.values()) for one in rows.to_pylist()] == [
        (b"aa" * 8, "marketing", "", False, "consent", 6),
        (b"bb" * 8, "marketing", "", True, "consent", 4),
        (b"bb" * 8, "marketing", "email", False, "consent", 1),
    ]
