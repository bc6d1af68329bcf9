/**
 * Where an event happens → its `context`: the page, its campaign, the browser it is read in.
 *
 * The collector reads UTM and click ids from the page's address. So the address must still have them:
 * what a script before us has cut off it is put back from the address the browser first asked for.
 */

import { read } from "./json.ts";

// From the collector's own table (sources.toml) when the tracker is built.
declare const IN_APP: string;

// Names of parameters that tell of a campaign; a test holds them against the collector's table.
const TELLING =
  /^(utm_\w+|hm(sr|pl|cu|kw|ci)|\w*cl(ic)?k?_?id|[gw]braid|\w+_[cev]id|\w*gdt\w*|gad_source|igshid|li_fat_id|epik|sccid|srsltid|awc|cjevent|ranmid|mkt_tok|track_id)$/i;
const CAMPAIGN = ["source", "medium", "campaign", "term", "content", "id"];
const LONGEST = 8_000;

export interface Place {
  readonly url: string;
  readonly referrer: string;
}

/** The parts `name=value` of a query that tell of a campaign, as written. */
export function telling(query: string): string[] {
  return query.split("&").filter((part) => /=./.test(part) && TELLING.test(part.split("=")[0]!));
}

/** Head, query and fragment of an address; the latter two with their marks. */
function parts(address: string): string[] {
  return /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(address)?.slice(1).map((part) => part ?? "") ?? ["", "", ""];
}

/** An address as it is told: a fragment stays only where it is a route or tells of a campaign. */
export function told(address: string, hasRoutes: boolean): string {
  const [head = "", query = "", fragment = ""] = parts(address);
  const isKept = hasRoutes || telling(fragment.replace(/^#([^?]*\?)?/, "")).length > 0;
  return (head + query + (isKept ? fragment : "")).slice(0, LONGEST);
}

/** `address` with the campaign parameters that only `first` still has. */
export function restored(address: string, first: string): string {
  const [head = "", query = "", fragment = ""] = parts(address);
  const [firstHead = "", firstQuery = ""] = parts(first);
  const there = query.replace("?", "&");
  const lost = telling(firstQuery.slice(1)).filter((part) => !there.includes(`&${part.split("=")[0]}=`));
  const isSame = firstHead.split("/")[2] === head.split("/")[2];
  return isSame && lost.length ? `${head}?${(query.length > 1 ? [query.slice(1)] : []).concat(lost).join("&")}${fragment}` : address;
}

/** The address the browser asked for, before any script changed it. */
export function landing(): string {
  try {
    return performance.getEntriesByType("navigation")[0]?.name ?? "";
  } catch {
    return "";
  }
}

/** The labels of a query as `context.campaign`; undefined when it has none. */
export function campaign(query: string): object | undefined {
  const given = new URLSearchParams(query);
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const name of CAMPAIGN) {
    const value = given.get("utm_" + name);
    // What is no UTF-8 the collector reads from the address.
    if (value && !value.includes("\ufffd")) found[name === "campaign" ? "name" : name] = value;
  }
  return Object.keys(found).length ? found : undefined;
}

/** The app whose built-in browser this is, by the names the collector has for them. */
export function inApp(agent: string): string | undefined {
  const words = agent.toLowerCase();
  for (const line of IN_APP.split("|")) {
    const [name = "", ...marks] = line.split(":");
    if ((marks.length ? marks : [name]).some((mark) => begins(words, mark))) return name;
  }
  return undefined;
}

/** Whether a word of the text begins so. */
function begins(words: string, mark: string): boolean {
  for (let at = words.indexOf(mark); at >= 0; at = words.indexOf(mark, at + 1)) {
    if (!/[a-z]/.test(words.charAt(at - 1))) return true;
  }
  return false;
}

export function context(place: Place, version: string): Record<string, unknown> {
  const at = link(place.url);
  const agent = navigator.userAgent;
  const isMiniProgram = /miniprogram/i.test(agent) || read(window, "__wxjs_environment") === "miniprogram";
  return {
    page: {
      url: place.url,
      path: at?.pathname,
      search: at?.search,
      title: document.title.slice(0, 500),
      referrer: place.referrer.slice(0, LONGEST),
    },
    campaign: at && campaign(at.search),
    locale: navigator.language,
    timezone: timezone(),
    screen: { width: screen.width, height: screen.height, density: window.devicePixelRatio },
    in_app: inApp(agent),
    mini_program: isMiniProgram || undefined,
    library: { name: "touchline.js", version },
  };
}

export function timezone(): string | undefined {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** A URL taken apart; undefined for none. */
export function link(address: string, base?: string): URL | undefined {
  try {
    return new URL(address, base);
  } catch {
    return undefined;
  }
}
