"""An erasure beside questions that follow the lake: nobody is brought back, and nobody is lost."""

import threading

import pytest
import sqlalchemy as sa

import build
from touchline.identity.live.follow import Follower
from touchline.identity.live.store import LiveStore, marks
from touchline.identity.people import Registry
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people.live import SharedRegistry
from touchline.jobs.privacy import erase as erasing
from touchline.jobs.rebuild import rebuild
from touchline.storage import schema
from touchline.storage.workspace import Workspace


class Site:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.registry = SharedRegistry(workspace)
        self.writer = Writer(workspace, self.registry)
        tracker = build.Tracker(workspace)
        for n in range(5):
            names = {"userId": f"member-000{n}", "anonymousId": f"cookie-000{n}"}
            tracker.send(build.track(f"m{n}", "Ad", **names))
        self.writer.catch_up()
        assert self.registry.follow()

    def persons(self, registry=None):
        with self.workspace.view() as view:
            return len((registry or self.registry).at(view).person_ids)

    def erase(self, name="member-0001"):
        request = erasing.ask(self.workspace, self.registry, name)
        return erasing.erase(self.writer, {"request": request}, lambda _: None)["receipt"]["scan"]

    def held(self, node):
        """Rows of the live store that hold an identifier, in whatever form."""
        packed = node[:8][::-1] + node[8:][::-1]
        tables = (schema.identity_component, schema.identity_node, schema.identity_beside)
        rows = [row for table in tables for row in self.workspace.state.read(sa.select(table))]
        cells = [cell for row in rows for cell in row if isinstance(cell, bytes)]
        return sum(node in cell or packed in cell for cell in cells)


@pytest.fixture
def site(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    with workspace.write_lock():
        yield Site(workspace)
    workspace.close()


@pytest.mark.parametrize("empties", ["erase", "rebuild"])
def test_a_question_amid_it_is_answered_of_everybody(site, monkeypatch, empties):
    """The store is emptied when the question is done with it."""
    real, others = LiveStore.judge, list[threading.Thread]()
    build.Tracker(site.workspace).send(build.track("n", "Ad", userId="zoe"))
    site.writer.catch_up()
    runs = {"erase": site.erase, "rebuild": lambda: rebuild(site.writer, lambda _: None)}

    def judge(self):
        if not others:
            others.append(threading.Thread(target=runs[empties]))
            others[0].start()
            others[0].join(1.0)
        return real(self)

    monkeypatch.setattr(LiveStore, "judge", judge)
    assert site.persons() == 6
    others[0].join()
    left = {"erase": 5, "rebuild": 6}[empties]
    assert site.persons() == site.persons(Registry(site.workspace)) == left


def test_a_question_that_was_opened_before_brings_nobody_back(site, monkeypatch):
    node = site.workspace.vault.node_id("user_id", "member-0001")
    real = erasing._Run._sweep
    with site.workspace.view() as early:

        def sweep(self):
            assert len(site.registry.at(early).person_ids) == 5
            assert not site.held(node)
            real(self)

        monkeypatch.setattr(erasing._Run, "_sweep", sweep)
        assert site.erase()["hits"] == 0
    assert site.persons() == 4
    assert not site.held(node)


def test_a_store_that_was_emptied_meanwhile_answers_nothing(site, monkeypatch):
    follower, real = Follower(site.workspace.state), Follower.follow

    def follow(self, view, rules, decisions):
        is_done = real(self, view, rules, decisions)
        site.registry.forget()
        return is_done

    monkeypatch.setattr(Follower, "follow", follow)
    with site.workspace.view() as view:
        assert follower.at(view, *site.registry.ruled(view)) is None


def test_it_knows_when_somebody_was_taken_out_though_it_is_empty(site):
    site.erase()
    site.registry.forget()
    assert marks(site.workspace.state).keys() == {"erased"}
    assert site.persons() == 4


@pytest.mark.parametrize("column", ["nodes", "edges"])
def test_what_stands_packed_in_the_live_store_is_found(site, monkeypatch, column):
    """Written back by whatever it may be: the receipt does not say that nothing is left."""
    node = site.workspace.vault.node_id("user_id", "member-0001")
    real = erasing._Run._prove

    def prove(self):
        row = dict.fromkeys(("nodes", "edges", "days", "apps"), b"")
        row |= {"id": 999, "version": 1, "cause": 0, "most": 0}
        row[column] = b"before" + node[:8][::-1] + node[8:][::-1] + b"behind"
        site.workspace.state.write((sa.insert(schema.identity_component), [row]))
        real(self)

    monkeypatch.setattr(erasing._Run, "_prove", prove)
    found = site.erase()
    assert found["places"]["state.identity_component"] == 1
    assert found["places"]["files.state.db"] + found["places"].get("files.state.db-wal", 0) >= 1


@pytest.mark.parametrize("column", ["node_id", "alone", "other"])
def test_what_stands_in_its_lists_is_found_by_an_index(site, monkeypatch, column):
    node = site.workspace.vault.node_id("user_id", "member-0001")
    real = erasing._Run._prove

    def prove(self):
        in_place = {"node_id": node, "component": 1}
        beside = {"alone": b"a" * 16, "other": b"o" * 16, column: node}
        listed = column == "node_id"
        table = schema.identity_node if listed else schema.identity_beside
        self._workspace.state.write((sa.insert(table), [in_place if listed else beside]))
        real(self)

    monkeypatch.setattr(erasing._Run, "_prove", prove)
    place = "identity_node" if column == "node_id" else "identity_beside"
    assert site.erase()["places"][f"state.{place}"] == 1


def test_who_only_looks_ahead_does_not_read_the_live_store(site, monkeypatch):
    asked, real = [], type(site.workspace.state).stream

    def stream(self, statement):
        asked.append(str(statement))
        return real(self, statement)

    monkeypatch.setattr(type(site.workspace.state), "stream", stream)
    erasing.preview(site.workspace, site.registry, "member-0001")
    assert asked
    assert not any("identity_" in text for text in asked)
