/**
 * Who the visitor is on this device: anonymous id, user id, group id, and the consent they gave.
 *
 * Kept in a first-party cookie (which a server may have set) and in localStorage. Without consent
 * nothing is kept: `cookieless` has an id that lives as long as the page, `off` has none.
 */

import type { Mode } from "./api.ts";
import { Cookies, local, setLocal } from "./store.ts";

const GOOD_ID = /^[\w.:-]{8,128}$/;
const LASTING = ["id", "uid", "gid", "at"];

export function uuid(): string {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (at) => (+at ^ (chance() & (15 >> (+at / 4)))).toString(16));
}

function chance(): number {
  try {
    return crypto.getRandomValues(new Uint8Array(1))[0]!;
  } catch {
    return Math.random() * 256;
  }
}

export function asMode(value: unknown): Mode | undefined {
  return value === "off" || value === "cookieless" || value === "full" ? value : undefined;
}

export class Visitor {
  mode: Mode = "off";
  anonymousId = uuid();
  userId: string | undefined;
  groupId: string | undefined;
  private wasKept = false;

  constructor(readonly cookies: Cookies) {}

  /** The consent the visitor chose on an earlier page. */
  chosen(): Mode | undefined {
    return asMode(this.cookies.get("consent") ?? local("consent"));
  }

  /** Keeps the choice, but for `cookieless`, which keeps nothing at all. */
  remember(mode: Mode): void {
    this.keepBoth("consent", mode === "cookieless" ? undefined : mode);
  }

  enter(mode: Mode): void {
    this.mode = mode;
    if (mode === "full") {
      const known = this.kept();
      // The id of a page that was cookieless becomes the lasting one: its views stay the visitor's.
      this.userId = this.groupId = undefined;
      this.become(known && GOOD_ID.test(known) ? known : this.anonymousId);
      this.wasKept = this.kept() !== undefined;
      this.recall();
      return;
    }
    for (const name of LASTING) this.keepBoth(name, undefined);
    this.anonymousId = uuid();
    this.userId = this.groupId = undefined;
  }

  become(anonymousId: string): void {
    this.anonymousId = anonymousId;
    if (this.mode !== "full") return;
    this.keepBoth("id", anonymousId);
    if (this.userId !== undefined) this.keep("uid", this.userId);
    if (this.groupId !== undefined) this.keep("gid", this.groupId);
  }

  /** User and group as kept beside this anonymous id: on another subdomain someone may have signed out. */
  recall(): void {
    const own = (name: string) => {
      const [of, ...rest] = local(name)?.split("|") ?? [];
      return of === this.anonymousId ? rest.join("|") : undefined;
    };
    this.userId = own("uid");
    this.groupId = own("gid");
  }

  /** Whether an id that was kept is gone: the visitor, or another page, took the consent back. */
  isForgotten(): boolean {
    return this.wasKept && this.kept() === undefined;
  }

  /** Another user on the same device is another visitor. */
  signIn(userId: string): void {
    if (this.userId !== undefined && this.userId !== userId) this.become(uuid());
    this.userId = userId;
    this.keep("uid", userId);
  }

  join(groupId: string): void {
    this.groupId = groupId;
    this.keep("gid", groupId);
  }

  forget(): void {
    this.userId = this.groupId = undefined;
    setLocal("uid", undefined);
    setLocal("gid", undefined);
    this.become(uuid());
  }

  private keep(name: string, value: string): void {
    if (this.mode === "full") setLocal(name, `${this.anonymousId}|${value}`);
  }

  private kept(): string | undefined {
    return this.cookies.get("id") ?? local("id");
  }

  private keepBoth(name: string, value: string | undefined): void {
    this.cookies.set(name, value);
    setLocal(name, value);
  }
}
