import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { MOST_ITEMS, ORPHANED_MS, Queue } from "../src/queue.ts";

Object.assign(globalThis, { Node: class {} }); // what a browser has

class Memory {
  held = new Map<string, string>();
  most = Infinity;
  get length(): number {
    return this.held.size;
  }
  key(index: number): string | null {
    return [...this.held.keys()][index] ?? null;
  }
  getItem(name: string): string | null {
    return this.held.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    if (value.length > this.most) throw new Error("full");
    this.held.set(name, value);
  }
  removeItem(name: string): void {
    this.held.delete(name);
  }
}


let store: Memory;
let now = 1_000_000;

beforeEach(() => {
  store = new Memory();
  Object.assign(globalThis, { localStorage: store });
});

function queue(own: string) {
  const made = new Queue("q.k.", own, () => now);
  made.keep(true);
  return made;
}

const item = (id: string) => JSON.stringify({ messageId: id });
const ids = (of: { entries: readonly { body: string }[] }) => of.entries.map((one) => (JSON.parse(one.body) as { messageId: string }).messageId);

test("a page takes over what another left, once", () => {
  const first = queue("one");
  first.add(item("a"));
  first.add(item("b"));
  first.leave();
  const second = queue("two");
  second.adopt();
  second.adopt();
  assert.deepEqual(ids(second), ["a", "b"]);
  assert.deepEqual([...store.held.keys()], ["tl_q.k.two"]);
});

test("what a living page keeps is left to it, until it has been silent for long", () => {
  queue("one").add(item("a"));
  const second = queue("two");
  now += ORPHANED_MS - 1;
  second.adopt();
  assert.deepEqual(ids(second), []);
  now += 1;
  second.adopt();
  assert.deepEqual(ids(second), ["a"]);
});

test("a clock that was set back makes nobody wait for years", () => {
  queue("one").add(item("a"));
  now -= 86_400_000;
  const second = queue("two");
  second.adopt();
  assert.deepEqual(ids(second), ["a"]);
});

test("what is confirmed is gone from the device as well", () => {
  const one = queue("one");
  one.add(item("a"));
  one.add(item("b"));
  one.remove(one.entries.slice(0, 1));
  assert.match(store.getItem("tl_q.k.one") ?? "", /\[\{"messageId":"b"\}\]$/);
  one.remove(one.entries);
  assert.equal(store.length, 0);
});

test("the oldest give way to the newest", () => {
  const one = queue("one");
  for (let number = 0; number < MOST_ITEMS + 10; number++) one.add(item("" + number));
  assert.equal(one.entries.length, MOST_ITEMS);
  assert.equal(ids(one)[0], "10");
});

test("a store that is nearly full keeps the newest half", () => {
  const one = queue("one");
  store.most = 60;
  for (const id of ["a", "b", "c", "d"]) one.add(item(id));
  assert.match(store.getItem("tl_q.k.one") ?? "", /"d"\}\]$/);
});

test("rubbish in the store is no item", () => {
  for (const [name, value] of [["x", "nonsense"], ["y", "0 [1,null,{}]"], ["z", '0 [{"messageId":"ok"}]'], ["w", "0 {"]] as const) {
    store.setItem(`tl_q.k.${name}`, value);
  }
  const one = queue("one");
  one.adopt();
  assert.deepEqual(ids(one), ["ok"]);
});

test("without consent nothing stays", () => {
  const one = queue("one");
  one.add(item("a"));
  store.setItem("tl_q.k.other", `0 [${item("b")}]`);
  one.keep(false);
  one.add(item("c"));
  assert.equal(store.length, 0);
});
