/** The script tag → the one global, with the calls made before it came replayed. */

import { read } from "./json.ts";
import { NAMES } from "./options.ts";
import { link } from "./page.ts";
import { guard } from "./guard.ts";
import { Tracker } from "./tracker.ts";

function boot(): void {
  const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : undefined;
  const home = link(script?.src ?? "")?.origin ?? "";
  const said: Record<string, unknown> = Object.create(null);
  for (const name of NAMES) {
    const value = script?.getAttribute("data-" + name.replace(/[A-Z]/g, (one) => "-" + one.toLowerCase()));
    if (value !== null && value !== undefined) said[name] = value === "" && name !== "key" ? "true" : value;
  }
  const global = script?.getAttribute("data-name") || "touchline";
  const there = read(window, global);
  if (there !== undefined && !Array.isArray(there)) {
    // Ours, loaded twice; or somebody else's, which is not ours to replace.
    if (!(there as Tracker).version) console.warn(`touchline: window.${global} is taken; set data-name`);
    return;
  }
  const tracker = new Tracker(home);
  (window as unknown as Record<string, unknown>)[global] = tracker;
  if (said["key"]) void tracker.init(said as never);
  if (!Array.isArray(there)) return;
  for (const call of there) replay(tracker, call);
  // Who still holds the stub is heard as well.
  there.push = (...calls: unknown[]) => (calls.forEach((call) => replay(tracker, call)), 0);
}

function replay(tracker: Tracker, call: unknown): void {
  const [name, ...given] = Array.from(call as ArrayLike<unknown>);
  const method = read(Tracker.prototype, String(name)) as ((...given: unknown[]) => unknown) | undefined;
  guard(() => method?.apply(tracker, given), true);
}

guard(boot, true);
