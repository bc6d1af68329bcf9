import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, pause } from "../src/sender.ts";

test("pauses double up to a minute, and half of each is chance", () => {
  assert.deepEqual([1, 2, 3, 7, 99].map((failures) => pause(failures, 1)), [1000, 2000, 4000, 60000, 60000]);
  assert.equal(pause(3, 0), 2000);
});

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-11-22T00:00:00Z");
  assert.equal(asked("7", now), 7000);
  assert.equal(asked("Sun, 22 Nov 2026 00:00:05 GMT", now), 5000);
  assert.equal(asked("999999999", now), 3_600_000);
  for (const nothing of [null, "", "soon", "-1"]) assert.equal(asked(nothing, now), undefined);
});
