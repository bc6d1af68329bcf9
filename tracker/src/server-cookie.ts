/** Once a day, asks a collector on the same site to set the id's cookie: some browsers keep a cookie
 * that a script set for a week only. */

import { bare, text } from "./json.ts";
import { link } from "./page.ts";
import { local, setLocal } from "./store.ts";
import type { Visitor } from "./visitor.ts";

const DAY_MS = 86_400_000;

export function renew(host: string, visitor: Visitor): void {
  const to = link(host + "/v1/id", location.href);
  const domain = visitor.cookies.domain();
  const isNear = to?.hostname === location.hostname || (!!domain && !!to?.hostname.endsWith("." + domain));
  const age = Date.now() - +(local("at") ?? 0);
  if (!to || !isNear || (age >= 0 && age < DAY_MS)) return;
  setLocal("at", "" + Date.now());
  const body = text({ id: visitor.anonymousId, domain });
  fetch(to.href, bare({ method: "POST", body, credentials: "include" } as RequestInit)).catch(() => setLocal("at", undefined));
}
