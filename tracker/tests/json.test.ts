import assert from "node:assert/strict";
import { test } from "node:test";

import { copied, read, text } from "../src/json.ts";

Object.assign(globalThis, { Node: class {} }); // what a browser has

test("what JSON can say is read back as it was", () => {
  for (const value of [null, true, 0, -1.5, 1e21, "", "冬 😀", 'a"b\\c\n\u0001', [1, [], {}], { a: { b: [null] } }]) {
    assert.deepEqual(JSON.parse(text(value)), value);
  }
});

test("what it cannot say is left out, or null in a list", () => {
  assert.equal(text({ a: undefined, b: () => 1, c: Symbol("c"), d: NaN }), '{"d":null}');
  assert.equal(text([undefined, () => 1]), "[null,null]");
  assert.equal(text(undefined), "");
  assert.equal(text({ at: new Date(0), never: new Date(NaN), big: 12n }), '{"at":"1970-01-01T00:00:00.000Z","never":null,"big":"12"}');
});

test("half a character and NUL become a mark", () => {
  assert.equal(text("a\ud800b\udc00c\u0000"), '"a\ufffdb\ufffdc\ufffd"');
});

test("rings and depths come to an end", () => {
  const ring: Record<string, unknown> = { a: 1 };
  ring["ring"] = ring;
  assert.equal(text(ring), '{"a":1,"ring":null}');
  let deep: unknown = 1;
  for (let level = 0; level < 1000; level++) deep = [deep];
  assert.ok(text(deep).length < 50);
  const wide = Array.from({ length: 100_000 }, () => 1);
  assert.ok(text(wide).length < 20_000);
  JSON.parse(text({ wide, after: 1 }));
});

test("toJSON of the page's libraries is not asked", () => {
  const polluted = Array.prototype as unknown as Record<string, unknown>;
  polluted["toJSON"] = () => "evil";
  try {
    assert.equal(text({ list: [1] }), '{"list":[1]}');
  } finally {
    delete polluted["toJSON"];
  }
});

test("a copy has no prototype keys and no getters", () => {
  const given = JSON.parse('{"__proto__": {"bad": 1}, "constructor": {"prototype": {"bad": 1}}, "ok": 1}') as object;
  Object.defineProperty(given, "boom", { enumerable: true, get: () => { throw new Error("mine"); } });
  assert.deepEqual(copied(given), { ok: 1 });
  assert.deepEqual(copied([1]), {});
  assert.equal(read({}, "toString"), undefined);
  assert.equal(read(null, "x"), undefined);
});
