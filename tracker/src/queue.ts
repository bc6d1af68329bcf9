/**
 * Items that wait for their confirmation, kept in localStorage so that a reload or a crash costs none.
 *
 * Each page writes a place of its own; a place nobody has touched for a while, or that its page left
 * behind, is taken over by the next page. Two pages may take the same one: an item's messageId makes
 * the second copy a duplicate, so nothing here needs a lock.
 */

import { isObject, read, text } from "./json.ts";
import { local, localNames, setLocal } from "./store.ts";

export const MOST_ITEMS = 500;
export const MOST_CHARACTERS = 500_000;
export const ORPHANED_MS = 30_000;

export interface Entry {
  /** JSON of one item; fixed when it happened, so that every copy of it is the same. */
  readonly body: string;
  readonly bytes: number;
  /** Of this page, not taken over from another. */
  readonly isOwn: boolean;
  isFlying: boolean;
}

function entry(body: string, isOwn: boolean): Entry {
  return { body, bytes: new Blob([body]).size, isOwn, isFlying: false };
}

export class Queue {
  entries: Entry[] = [];
  private isKept = false;

  /** `place`: the start of the names of all places; `own`: the rest of this page's. */
  constructor(
    private readonly place: string,
    private readonly own: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** From now on items are kept on the device, or no longer. */
  keep(isKept: boolean): void {
    this.isKept = isKept;
    if (isKept) this.write();
    else for (const name of localNames(this.place)) setLocal(name, undefined);
  }

  add(body: string): void {
    this.entries.push(entry(body, true));
    this.trim();
    this.write();
  }

  remove(done: readonly Entry[]): void {
    this.entries = this.entries.filter((one) => done.indexOf(one) < 0);
    this.write();
  }

  clear(): void {
    this.entries = [];
    this.write();
  }

  /** Leaves the place to whoever comes next. */
  leave(): void {
    this.write(0);
  }

  /** Takes over what pages before this one could not see confirmed. */
  adopt(): void {
    if (!this.isKept) return;
    for (const name of localNames(this.place)) {
      const found = name === this.place + this.own ? undefined : local(name);
      const [, at = "", list = ""] = found?.match(/^(\d+) (.*)$/s) ?? [];
      const age = this.now() - +at;
      if (!found || (at && age >= 0 && age < ORPHANED_MS)) continue;
      this.entries = bodies(list).map((body) => entry(body, false)).concat(this.entries);
      setLocal(name, undefined);
    }
    this.trim();
    this.write();
  }

  private trim(): void {
    let characters = 0;
    let first = this.entries.length;
    const least = Math.max(0, first - MOST_ITEMS);
    while (first > least && (characters += this.entries[first - 1]!.body.length) <= MOST_CHARACTERS) first--;
    if (first > 0) this.entries = this.entries.slice(first);
  }

  private write(at = this.now()): void {
    if (!this.isKept) return;
    const name = this.place + this.own;
    const list = (from: number) => `${at} [${this.entries.slice(from).map((one) => one.body).join(",")}]`;
    if (!this.entries.length) setLocal(name, undefined);
    // A full store may still have room for the newest.
    else if (!setLocal(name, list(0))) setLocal(name, list(this.entries.length >> 1));
  }
}

function bodies(list: string): string[] {
  try {
    const found: unknown = JSON.parse(list);
    return Array.isArray(found) ? found.filter((one) => isObject(one) && read(one, "messageId")).map(text) : [];
  } catch {
    return [];
  }
}
