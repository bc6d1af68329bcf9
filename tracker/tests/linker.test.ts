import assert from "node:assert/strict";
import { test } from "node:test";

import { isAmong, mark, sealed, unsealed } from "../src/linker.ts";

const ID = "8d959f15-8f5e-4066-9344-4474c251a6c6";

test("what was sealed here a moment ago is believed", () => {
  assert.equal(unsealed(sealed(ID, 1000, "phone"), 1000, "phone"), ID);
  assert.equal(unsealed(sealed(ID, 1000, "phone"), 120_999, "phone"), ID);
});

test("later, elsewhere or changed it is not", () => {
  const carried = sealed(ID, 1000, "phone");
  assert.equal(unsealed(carried, 121_000, "phone"), undefined);
  assert.equal(unsealed(carried, 1000, "laptop"), undefined);
  assert.equal(unsealed(carried.replace("8d95", "9d95"), 1000, "phone"), undefined);
  assert.equal(unsealed("", 1000, "phone"), undefined);
  assert.equal(unsealed("a*b*c", 1000, "phone"), undefined);
});

test("a mark differs for words that differ a little", () => {
  assert.equal(new Set(Array.from({ length: 10_000 }, (_, n) => mark("visitor " + n))).size, 10_000);
});

test("a domain has the hosts under it, and no look-alikes", () => {
  assert.ok(isAmong("m.shop.example", ["shop.example"]));
  assert.ok(!isAmong("evilshop.example", ["shop.example"]));
});
