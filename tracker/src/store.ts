/**
 * What is kept on the device: cookies and localStorage, either of which may be blocked or full.
 *
 * Nothing here throws: a browser that keeps nothing answers with undefined. In a sandboxed frame
 * already reading `document.cookie` throws.
 */

const YEAR_S = 34_560_000; // 400 days, the most a browser grants
const PREFIX = "tl_";

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}

export function local(name: string): string | undefined {
  return attempt(() => localStorage.getItem(PREFIX + name) ?? undefined);
}

/** Whether it is kept now. */
export function setLocal(name: string, value: string | undefined): boolean {
  return (
    attempt(() => {
      if (value === undefined) localStorage.removeItem(PREFIX + name);
      else localStorage.setItem(PREFIX + name, value);
      return true;
    }) ?? false
  );
}

/** Names in localStorage that begin so, without our prefix. */
export function localNames(start: string): string[] {
  return (
    attempt(() => {
      const found: string[] = [];
      for (let index = 0; index < localStorage.length; index++) {
        const name = localStorage.key(index) ?? "";
        if (name.startsWith(PREFIX + start)) found.push(name.slice(PREFIX.length));
      }
      return found;
    }) ?? []
  );
}

/** The name of ours that a storage event speaks of. */
export function ownName(key: string | null): string {
  return key?.startsWith(PREFIX) ? key.slice(PREFIX.length) : "";
}

/** Domains this page's host lies under, the widest first; none for an address in numbers. */
function above(): string[] {
  const labels = /^[\d.]+$|:/.test(location.hostname) ? [] : location.hostname.split(".");
  return labels.slice(1).map((_, index) => labels.slice(labels.length - 2 - index).join("."));
}

export class Cookies {
  private found = "";
  private isKnown = false;

  /** `wanted`: the domain to set them for; by default the widest one the browser allows. */
  constructor(private readonly wanted = "") {}

  get(name: string): string | undefined {
    return attempt(() => {
      const start = PREFIX + name + "=";
      const part = document.cookie.split("; ").find((one) => one.startsWith(start));
      return part === undefined ? undefined : decodeURIComponent(part.slice(start.length));
    });
  }

  set(name: string, value: string | undefined): void {
    if (value !== undefined) this.put(name, value, this.domain(), YEAR_S);
    else if (this.get(name) !== undefined) {
      for (const domain of ["", this.wanted, ...above()]) this.put(name, "", domain, 0);
    }
  }

  /** The domain whose hosts are this site. Writes nothing, unlike asking for the widest domain. */
  site(): string {
    return this.wanted || this.found || location.hostname.replace(/^www\./, "");
  }

  /** The widest domain that cookies of this page can have; "" for this host alone. */
  domain(): string {
    if (!this.isKnown) this.found = this.wanted || this.widest();
    this.isKnown = true;
    return this.found;
  }

  private widest(): string {
    for (const domain of above()) {
      this.put("try", "1", domain, 10);
      const isKept = this.get("try") !== undefined;
      this.put("try", "", domain, 0);
      if (isKept) return domain;
    }
    return "";
  }

  private put(name: string, value: string, domain: string, seconds: number): void {
    attempt(() => {
      document.cookie =
        `${PREFIX}${name}=${encodeURIComponent(value)}; path=/; max-age=${seconds}; samesite=lax` +
        (domain && `; domain=${domain}`) +
        (location.protocol === "https:" ? "; secure" : "");
    });
  }
}
