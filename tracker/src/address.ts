/**
 * The address changes without a new page → a view of a single-page application.
 *
 * Routers change the address before they set the title, and often twice in a row (a redirect): the
 * view is told a moment later, under the address that stayed. If the page goes first, at once.
 */

import { guard } from "./guard.ts";

const SETTLE_MS = 60;

export interface Turning {
  told(address: string): string;
  readonly isHash: boolean;
  /** The old page is over; without a `referrer` it had not even begun. */
  turn(url: string, referrer: string | undefined): void;
  /** The new one has settled. */
  view(): void;
  readonly debug: boolean;
}

type Listen = (on: EventTarget, name: string, run: (event: Event) => void) => void;

export function watchAddress(listen: Listen, atEnd: (end: () => void) => void, turning: Turning): { settle(): void } {
  let last = route(location.href, turning.isHash);
  let told = turning.told(location.href);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function changed(): void {
    const now = route(location.href, turning.isHash);
    if (now === last) return;
    last = now;
    const before = told;
    told = turning.told(location.href);
    // One that nobody saw is no referrer, and was not read.
    turning.turn(told, timer === undefined ? before : undefined);
    clearTimeout(timer);
    timer = setTimeout(() => guard(settle, turning.debug), SETTLE_MS);
  }

  function settle(): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    turning.view();
  }

  let isOver = false;
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    const wrapped = function (this: History, ...given: Parameters<History["pushState"]>): void {
      original.apply(this, given);
      if (!isOver) guard(changed, turning.debug);
    };
    guard(() => (history[name] = wrapped), turning.debug);
    atEnd(() => {
      isOver = true;
      // Someone may have wrapped ours since; then it stays, and does nothing.
      if (history[name] === wrapped) history[name] = original;
    });
  }
  listen(window, "popstate", changed);
  if (turning.isHash) listen(window, "hashchange", changed);
  atEnd(() => clearTimeout(timer));
  return { settle };
}

/** What makes two addresses two pages. */
function route(address: string, isHash: boolean): string {
  return isHash ? address : address.split("#")[0]!;
}
