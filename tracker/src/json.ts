/**
 * Anything a page hands us → JSON text.
 *
 * JSON.stringify asks `toJSON` of whatever the page's libraries put on prototypes, throws on cycles
 * and getters, and passes half characters on. This one reads own keys only and never throws.
 */

const DEEPEST = 10;
const MOST_VALUES = 5000;
const SPECIAL = /["\\\u0000-\u001f]|[\ud800-\udbff][\udc00-\udfff]?|[\udc00-\udfff]/g;
const NEVER_KEYS = /^(__proto__|constructor|prototype)$/;

/** The text of a value; "" for what JSON cannot say (a function, undefined). */
export function text(value: unknown): string {
  let left = MOST_VALUES;
  const above: unknown[] = [];

  function encode(one: unknown): string {
    if (one === null || left-- <= 0) return "null";
    switch (typeof one) {
      case "string":
        return quoted(one);
      case "number":
        return isFinite(one) ? "" + one : "null";
      case "boolean":
        return "" + one;
      case "bigint":
        return quoted("" + one);
      case "object":
        return above.length < DEEPEST && above.indexOf(one) < 0 ? nested(one) : "null";
      default:
        return "";
    }
  }

  function nested(one: object): string {
    if (one instanceof Date) return isFinite(+one) ? quoted(Date.prototype.toISOString.call(one)) : "null";
    above.push(one);
    const found = Array.isArray(one) ? `[${listed(one)}]` : `{${keyed(one)}}`;
    above.pop();
    return found;
  }

  function listed(list: readonly unknown[]): string {
    let all = "";
    for (let index = 0; index < list.length && left > 0; index++) {
      all += (index ? "," : "") + (encode(list[index]) || "null");
    }
    return all;
  }

  function keyed(one: object): string {
    let all = "";
    if (one instanceof Node) return all; // a piece of the page
    for (const key of Object.keys(one)) {
      if (NEVER_KEYS.test(key) || left <= 0) continue;
      const said = encode(read(one, key));
      if (said) all += `${all && ","}${quoted(key)}:${said}`;
    }
    return all;
  }

  return encode(value);
}

/** An own value of what may be no object at all; prototypes and getters that throw say nothing. */
export function read(of: unknown, key: string): unknown {
  try {
    return Object.prototype.hasOwnProperty.call(of, key) ? (of as Record<string, unknown>)[key] : undefined;
  } catch {
    return undefined;
  }
}

/** A value made of ours alone: no prototype, no getter, no reference into the page. */
export function copied(value: unknown): Record<string, unknown> {
  const said = isObject(value) ? text(value) : "";
  return said ? (JSON.parse(said) as Record<string, unknown>) : {};
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Options for the browser's own calls, which would read missing ones from Object.prototype. */
export function bare<T extends object>(options: T): T {
  return Object.assign(Object.create(null) as T, options);
}

function quoted(words: string): string {
  return `"${words.replace(SPECIAL, escaped)}"`;
}

function escaped(found: string): string {
  const code = found.charCodeAt(0);
  if (found.length > 1) return found;
  if (found === '"' || found === "\\") return "\\" + found;
  // NUL and half a character are no text; receivers refuse them.
  return code && code < 32 ? "\\u" + (code + 0x10000).toString(16).slice(1) : "\ufffd";
}
