/**
 * A click → what it was: an event declared in the page, a link that leads away, a download, a call.
 *
 * `<a data-touchline-event="Brochure Wanted" data-touchline-product-line="A7">` becomes the event
 * `Brochure Wanted` with `product_line: "A7"`.
 */

import { link } from "./page.ts";

const DECLARED = "data-touchline-event";
const FILES =
  /\.(pdf|docx?|xlsx?|pptx?|csv|txt|rtf|zip|rar|7z|gz|tar|dmg|pkg|exe|msi|apk|ipa|mp3|wav|mp4|mov|avi|wps|dwg|stp|step|igs)$/i;
const BUTTONS = "a,button,summary,[role=button],input[type=submit],input[type=button]";

export interface Happened {
  readonly name: string;
  readonly properties: Record<string, unknown>;
}

/** The element a click was on, also inside a web component. */
export function target(event: Event): Element | undefined {
  const [deepest] = typeof event.composedPath === "function" ? event.composedPath() : [];
  const found = deepest ?? event.target;
  return found instanceof Element ? found : undefined;
}

/** What the page itself says of an element, its own or its nearest ancestor's. */
export function declared(of: Element): Happened | undefined {
  const owner = of.closest(`[${DECLARED}]`);
  const name = owner?.getAttribute(DECLARED);
  return owner && name ? { name, properties: properties(owner) } : undefined;
}

function properties(of: Element): Record<string, unknown> {
  const found: Record<string, unknown> = Object.create(null);
  for (const { name, value } of Array.from(of.attributes)) {
    if (name.startsWith("data-touchline-") && name !== DECLARED) {
      found[name.slice(15).replace(/-/g, "_")] = value;
    }
  }
  return found;
}

export function anchor(of: Element): HTMLAnchorElement | HTMLAreaElement | undefined {
  const found = of.closest("a[href],area[href]");
  return found instanceof HTMLAnchorElement || found instanceof HTMLAreaElement ? found : undefined;
}

/** What following a link is, when it is more than a step inside the site. */
export function followed(of: HTMLAnchorElement | HTMLAreaElement, isOurs: (host: string) => boolean): Happened | undefined {
  const to = link(of.href);
  if (!to) return undefined;
  if (to.protocol === "mailto:" || to.protocol === "tel:") {
    return { name: "Contact Clicked", properties: { kind: to.protocol === "tel:" ? "phone" : "email" } };
  }
  if (!/^https?:$/.test(to.protocol)) return undefined;
  const said = { url: to.origin + to.pathname, host: to.host, text: label(of) };
  const file = FILES.exec(to.pathname);
  if (file || of.hasAttribute("download")) {
    return { name: "File Downloaded", properties: { ...said, file: to.pathname.split("/").pop(), extension: file?.[1]?.toLowerCase() } };
  }
  return isOurs(to.hostname) ? undefined : { name: "Outbound Link Clicked", properties: said };
}

/** A click on something that looks like a control. */
export function pressed(of: Element): Happened | undefined {
  const control = of.closest(BUTTONS);
  if (!control || control.closest("[data-touchline-ignore]")) return undefined;
  return {
    name: "Element Clicked",
    properties: {
      element: control.tagName.toLowerCase(),
      id: control.id || undefined,
      text: label(control),
      url: link((control as HTMLAnchorElement).href)?.pathname,
    },
  };
}

/** What stands on a control; never what a visitor typed. */
function label(of: Element): string | undefined {
  const own = of.getAttribute("aria-label") ?? (of instanceof HTMLInputElement ? of.value : of.textContent);
  return own?.trim().replace(/\s+/g, " ").slice(0, 100) || undefined;
}
