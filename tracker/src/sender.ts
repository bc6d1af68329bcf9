/**
 * Waiting items → the collector, each until it is confirmed.
 *
 * Every request is `keepalive`, so one in flight outlives its page; what is left when the page goes
 * leaves by beacon and stays in the queue, for nobody hears the answer to a beacon.
 */

import { bare, text } from "./json.ts";
import type { Entry, Queue } from "./queue.ts";

const MOST_BYTES = 60_000; // browsers let 64 KiB outlive a page
const MOST_ITEMS = 100;
const SOON_MS = 300;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const REFUSED_PAUSE_MS = 300_000;
const LONGEST_ASKED_MS = 3_600_000;
const TIMEOUT_MS = 30_000;

/** How long to wait before the next try, half of it by chance: a crowd comes back spread out. */
export function pause(failures: number, chance = Math.random()): number {
  const most = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16), LONGEST_PAUSE_MS);
  return (most / 2) * (1 + chance);
}

/** Retry-After, seconds or a date, in milliseconds; undefined when it says nothing. */
export function asked(header: string | null, now: number): number | undefined {
  const ms = /^\d+$/.test(header ?? "") ? +header! * 1000 : Date.parse(header ?? "") - now;
  return ms >= 0 ? Math.min(ms, LONGEST_ASKED_MS) : undefined;
}

export class Sender {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private notBefore = 0;
  private isAsked = false; // the server itself named the pause
  private most = MOST_ITEMS;
  private flights = 0;

  constructor(
    private readonly queue: Queue,
    private readonly host: string,
    private readonly key: string,
    private readonly mayLast: () => boolean,
  ) {}

  /** Sends within a moment: calls of one moment share a request. */
  soon(): void {
    if (this.timer === undefined) this.again(Math.max(SOON_MS, this.notBefore - Date.now()));
  }

  /** The network is back: no reason to wait, unless the server asked for it. */
  online(): void {
    if (!this.isAsked) this.notBefore = this.failures = 0;
    this.queue.adopt();
    this.now();
  }

  now(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.notBefore > Date.now()) this.soon();
    else if (!this.flights) void this.fly(this.batch());
  }

  /** The page is hidden or goes. `isLast`: nobody will hear the answer. */
  leave(isLast: boolean): void {
    if (this.isAsked && this.notBefore > Date.now() && this.mayLast()) {
      if (isLast) this.queue.leave();
      return;
    }
    // What was taken over has left by beacon before. Were it to leave so again with each page that is
    // closed at once, it would grow until nothing new found room.
    for (let batch = this.batch(true); batch.length; batch = this.batch(true)) {
      if (!isLast || !this.beacon(batch)) void this.fly(batch);
      for (const one of batch) one.isFlying = true;
    }
    if (isLast) this.queue.leave();
  }

  /** A page that had gone is back: what left by beacon may not have arrived. */
  back(): void {
    for (const one of this.queue.entries) one.isFlying = false;
    this.now();
  }

  private batch(isLeaving = false): Entry[] {
    const found: Entry[] = [];
    let bytes = 200;
    for (const one of this.queue.entries) {
      if (one.isFlying || (isLeaving && !one.isOwn)) continue;
      bytes += one.bytes + 1;
      if (found.length && (bytes > MOST_BYTES || found.length >= this.most)) break;
      found.push(one);
    }
    return found;
  }

  private body(batch: readonly Entry[]): string {
    const items = batch.map((one) => one.body).join(",");
    return `{"batch":[${items}],"sentAt":${text(new Date())},"writeKey":${text(this.key)}}`;
  }

  private beacon(batch: readonly Entry[]): boolean {
    try {
      return navigator.sendBeacon(`${this.host}/beacon/v1/batch`, this.body(batch));
    } catch {
      return false;
    }
  }

  private async fly(batch: readonly Entry[]): Promise<void> {
    if (!batch.length) return;
    for (const one of batch) one.isFlying = true;
    this.flights++;
    const [status, wait] = await post(`${this.host}/v1/batch`, this.body(batch), weight(batch));
    this.flights--;
    for (const one of batch) one.isFlying = false;
    if (status >= 200 && status < 300) {
      this.failures = this.notBefore = 0;
      this.isAsked = false;
      this.most = MOST_ITEMS;
      this.queue.remove(batch);
    } else if (status === 400 || status === 413) {
      // One that cannot be read costs only itself.
      if (batch.length === 1) this.queue.remove(batch);
      this.most = batch.length >> 1 || 1;
    } else {
      this.failures++;
      this.isAsked = wait !== undefined;
      const isRefused = status > 400 && status < 500 && status !== 408 && status !== 429;
      this.notBefore = Date.now() + (wait ?? (isRefused ? REFUSED_PAUSE_MS : pause(this.failures)));
    }
    if (this.queue.entries.some((one) => !one.isFlying)) this.soon();
  }

  private again(ms: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.now();
    }, ms);
  }
}

function weight(batch: readonly Entry[]): number {
  return batch.reduce((sum, one) => sum + one.bytes + 1, 200);
}

/** Status (0: no answer) and the pause the server asks for. */
async function post(url: string, body: string, bytes: number): Promise<[number, number | undefined]> {
  const control = typeof AbortController === "function" ? new AbortController() : undefined;
  const timer = setTimeout(() => control?.abort(), TIMEOUT_MS);
  try {
    // A text body and no header of ours: no preflight.
    const init: RequestInit = bare({ method: "POST", body, credentials: "omit", keepalive: bytes <= MOST_BYTES });
    if (control) init.signal = control.signal;
    const answer = await fetch(url, init);
    return [answer.status, asked(answer.headers.get("retry-after"), Date.now())];
  } catch {
    return [0, undefined];
  } finally {
    clearTimeout(timer);
  }
}
