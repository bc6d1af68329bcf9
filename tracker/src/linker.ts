/**
 * A visitor's id, carried over to another domain of the same owner in the link's `_tl`.
 *
 * A link gets shared, so what it carries is good for two minutes and for the browser that made it:
 * on another device it merges nobody. The mark guards against accidents, not against forgery: no
 * secret can be kept in a page.
 */

import { link, timezone } from "./page.ts";

const PARAMETER = "_tl";
const GOOD_MS = 120_000;

/** A short mark of words: cyrb53, by its published constants. */
export function mark(words: string): string {
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (let index = 0; index < words.length; index++) {
    const code = words.charCodeAt(index);
    one = Math.imul(one ^ code, 2654435761);
    two = Math.imul(two ^ code, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return (4294967296 * (2097151 & two) + (one >>> 0)).toString(36);
}

function device(): string {
  return [navigator.userAgent, navigator.language, timezone(), screen.width, screen.height].join("|");
}

export function sealed(id: string, now: number, on = device()): string {
  const at = now.toString(36);
  return [id, at, mark(`${id}|${at}|${on}`)].join("*");
}

/** The id, when this browser sealed it a moment ago. */
export function unsealed(carried: string, now: number, on = device()): string | undefined {
  const [id = "", at = "", given] = carried.split("*");
  const age = now - parseInt(at, 36);
  return /^[\w.:-]{8,128}$/.test(id) && age > -1000 && age < GOOD_MS && given === mark(`${id}|${at}|${on}`) ? id : undefined;
}

/** Whether `host` is one of `domains` or lies under one. */
export function isAmong(host: string, domains: readonly string[]): boolean {
  return domains.some((domain) => host === domain || host.endsWith("." + domain));
}

export function decorated(address: string, id: string): string {
  const to = link(address, location.href);
  if (!to || !/^https?:$/.test(to.protocol)) return address;
  // By hand: URLSearchParams would write all the others anew, those in GBK as rubbish.
  const carried = `${to.search ? "&" : "?"}${PARAMETER}=${sealed(id, Date.now())}`;
  return to.origin + to.pathname + to.search + carried + to.hash;
}

/** The id this page's address brings, which is taken out of the address: it is not to be shared. */
export function arrived(): string | undefined {
  const carried = new RegExp(`[?&]${PARAMETER}=([^&#]*)`).exec(location.href);
  if (!carried) return undefined;
  const [whole, value = ""] = carried;
  const rest = location.href.replace(whole, whole.charAt(0)).replace(/([?&])&/, "$1").replace(/[?&](?=#|$)/, "");
  try {
    history.replaceState(history.state, "", rest);
    return unsealed(decodeURIComponent(value), Date.now());
  } catch {
    return undefined;
  }
}
