/** What a site sets, by script attributes or in `init` → complete settings, each of the right kind. */

import type { Options } from "./api.ts";
import { read } from "./json.ts";
import { asMode } from "./visitor.ts";

export type Settings = Required<Omit<Options, "before">> & { readonly before: Options["before"] | undefined };

const FLAGS = { page: true, spa: true, links: true, forms: true, engagement: true, clicks: false, serverCookie: true, debug: false };

/** Names of options that are attributes of the script: `data-cookie-domain` and so on. */
export const NAMES = ["key", "host", "consent", "signals", "domains", "cookieDomain", ...Object.keys(FLAGS)];

/** Undefined without a key: there is nowhere to send to. */
export function settings(given: unknown, home: string): Settings | undefined {
  const words = (name: string) => {
    const value = read(given, name);
    return typeof value === "string" ? value.trim() : "";
  };
  const flags: Record<string, unknown> = {};
  for (const [name, normally] of Object.entries(FLAGS)) {
    const value = read(given, name) ?? normally;
    const isRicher = (name === "spa" && value === "hash") || (name === "forms" && value === "identify");
    flags[name] = isRicher ? value : !/^(false|0|off|no)$/i.test(String(value));
  }
  const domains = read(given, "domains");
  const list: unknown[] = Array.isArray(domains) ? domains : words("domains").split(/[\s,]+/);
  const signals = words("signals");
  const before = read(given, "before");
  const key = words("key");
  const host = (words("host") || home).replace(/\/+$/, "");
  if (!key) return undefined;
  return {
    ...(flags as Pick<Settings, keyof typeof FLAGS>),
    key,
    host: !host || /^(https?:)?\/\//i.test(host) ? host : "https://" + host,
    consent: asMode(words("consent")) ?? "full",
    signals: signals === "off" || signals === "cookieless" ? signals : "ignore",
    domains: list.filter((one): one is string => typeof one === "string" && one !== "").map((one) => one.toLowerCase()),
    cookieDomain: words("cookieDomain"),
    before: typeof before === "function" ? (before as Options["before"]) : undefined,
  };
}
