/** What a visitor does in the page by itself → events: views, clicks, forms, reading, leaving. */

import { anchor, declared, followed, pressed, target, type Happened } from "./clicks.ts";
import { Engagement } from "./engagement.ts";
import { named, submitted } from "./forms.ts";
import { watchAddress } from "./address.ts";
import { decorated, isAmong } from "./linker.ts";
import { link } from "./page.ts";
import { guard } from "./guard.ts";
import type { Core } from "./tracker.ts";

const RESTORE_MS = 200;

/** Returns what ends it. */
export function observe(core: Core): () => void {
  const { settings, sender } = core;
  const ends: (() => void)[] = [];
  const reading = settings.engagement ? new Engagement() : undefined;

  function listen(on: EventTarget, name: string, run: (event: Event) => void): void {
    const guarded = (event: Event) => guard(() => run(event), settings.debug);
    on.addEventListener(name, guarded, true);
    ends.push(() => on.removeEventListener(name, guarded, true));
  }

  function say(what: Happened | undefined): void {
    if (what) core.push("track", { event: what.name, properties: what.properties });
  }

  function report(): void {
    const properties = reading?.report();
    if (properties) core.push("track", { event: "Page Engaged", properties });
  }

  function click(event: Event): void {
    const on = target(event);
    if (!on || (event.type === "auxclick" && (event as MouseEvent).button !== 1)) return;
    const to = anchor(on);
    if (to && settings.domains.length && core.visitor.mode === "full") carry(to);
    const own = declared(on);
    if (own && !(on.closest("[data-touchline-event]") instanceof HTMLFormElement)) return say(own);
    say((to && settings.links ? followed(to, isOurs) : undefined) ?? (settings.clicks ? pressed(on) : undefined));
  }

  function isOurs(host: string): boolean {
    return isAmong(host, [core.visitor.cookies.site(), ...settings.domains]);
  }

  /** Only while it is followed does a link carry the id: copied, it is as the page wrote it. */
  function carry(to: HTMLAnchorElement | HTMLAreaElement): void {
    const host = link(to.href)?.hostname ?? "";
    const written = to.getAttribute("href") ?? "";
    // A second click before the timer of the first: what stands there now was not written.
    if (isAmong(host, [core.visitor.cookies.site()]) || !isAmong(host, settings.domains) || /[?&]_tl=/.test(written)) return;
    to.href = decorated(to.href, core.visitor.anonymousId);
    setTimeout(() => to.setAttribute("href", written), RESTORE_MS);
  }

  function submit(event: Event): void {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const who = core.visitor.mode === "full" ? named(form, settings.forms === "identify") : undefined;
    if (who) core.identify(undefined, who, undefined);
    say(submitted(form));
  }

  function turn(url: string, from: string | undefined): void {
    if (from !== undefined) report();
    reading?.reset();
    core.place = { url, referrer: from ?? core.place.referrer };
  }

  if (reading) reading.start(listen);
  for (const name of ["click", "auxclick"]) listen(document, name, click);
  if (settings.forms) listen(document, "submit", submit);
  const address = settings.spa
    ? watchAddress(listen, (ends_) => ends.push(ends_), {
        told: (address) => core.told(address),
        isHash: settings.spa === "hash",
        turn,
        view: () => core.view({}),
        debug: settings.debug,
      })
    : undefined;
  listen(document, "visibilitychange", () => {
    if (document.visibilityState !== "hidden") return sender.online();
    address?.settle();
    report();
    sender.leave(false);
  });
  listen(window, "pagehide", () => {
    address?.settle();
    report();
    sender.leave(true);
  });
  listen(window, "pageshow", (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    reading?.reset();
    core.back();
  });
  listen(window, "online", () => sender.online());
  return () => ends.forEach((end) => end());
}
