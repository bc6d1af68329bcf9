/**
 * The calls a page makes (those of analytics.js) → items on their way to the collector.
 *
 * Nothing a caller hands in, and nothing that fails in here, may harm the page: each public call and
 * each listener runs guarded, and values are copied before they are kept.
 */

import type { Callback, Mode, Options, Touchline } from "./api.ts";
import { guard } from "./guard.ts";
import { copied, isObject, read, text } from "./json.ts";
import { arrived, decorated } from "./linker.ts";
import { observe } from "./observe.ts";
import { settings, type Settings } from "./options.ts";
import { context, landing, restored, told, type Place } from "./page.ts";
import { Queue } from "./queue.ts";
import { Sender } from "./sender.ts";
import { renew } from "./server-cookie.ts";
import { Cookies, local, ownName } from "./store.ts";
import { asMode, uuid, Visitor } from "./visitor.ts";

declare const VERSION: string;

type Words = Record<string, unknown>;

export class Tracker implements Touchline {
  readonly version = VERSION;
  private core: Core | undefined;
  private waiting: ((core: Core) => void)[] = [];

  /** `home`: the collector when the options name none. */
  constructor(private readonly home = "") {}

  init(options: Options): Promise<void> {
    return this.safely(() => {
      const found = this.core ? undefined : settings(options, this.home);
      if (!found) {
        if (!this.core) console.warn("touchline: init needs a key");
        return;
      }
      const core = new Core(found);
      this.core = core;
      core.start();
      for (const run of this.waiting.splice(0)) this.safely(() => run(core));
    });
  }

  load(key: string, options?: Partial<Options>): Promise<void> {
    return this.safely(() => void this.init({ page: false, spa: false, ...(isObject(options) ? options : {}), key } as Options));
  }

  identify(userId?: unknown, traits?: unknown, options?: unknown, callback?: Callback): Promise<void> {
    const called = [userId, traits, options, callback];
    const [id, about, more] = isObject(userId) ? [undefined, userId, traits] : [userId, traits, options];
    return this.do(called, (core) => core.identify(named(id), about, more));
  }

  track(event: unknown, properties?: unknown, options?: unknown, callback?: Callback): Promise<void> {
    return this.do([event, properties, options, callback], (core) => {
      const name = named(event);
      if (name) core.push("track", { event: name, properties: copied(properties) }, options);
    });
  }

  /** `page([[category], name], [properties], [options], [callback])` */
  page(...given: unknown[]): Promise<void> {
    return this.do(given, (core) => {
      const words = given.slice(0, 2).filter((one) => typeof one === "string");
      const [properties, options] = given.slice(words.length);
      const [name, category] = words.reverse();
      core.view({ name, category, properties: copied(properties) }, options);
    });
  }

  group(groupId?: unknown, traits?: unknown, options?: unknown, callback?: Callback): Promise<void> {
    return this.do([groupId, traits, options, callback], (core) => core.group(named(groupId), traits, options));
  }

  alias(userId: unknown, previousId?: unknown, options?: unknown, callback?: Callback): Promise<void> {
    return this.do([userId, previousId, options, callback], (core) => {
      const id = named(userId);
      if (id) core.push("alias", { userId: id, previousId: named(previousId) ?? core.visitor.anonymousId }, options);
    });
  }

  reset(): Promise<void> {
    return this.do([], (core) => core.visitor.forget());
  }

  user(): { id(): string | undefined; anonymousId(): string | undefined; traits(): Words } {
    const core = this.core;
    return {
      id: () => core?.visitor.userId,
      anonymousId: () => (core && core.visitor.mode !== "off" ? core.visitor.anonymousId : undefined),
      traits: () => copied(core?.traits),
    };
  }

  setAnonymousId(id: unknown): Promise<void> {
    return this.do([], (core) => {
      const given = named(id);
      if (given && core.visitor.mode === "full") core.visitor.become(given);
    });
  }

  consent(mode?: Mode): Mode {
    const chosen = asMode(mode);
    if (chosen) void this.do([], (core) => core.choose(chosen));
    return this.core?.visitor.mode ?? "off";
  }

  decorate(address: string): string {
    const core = this.core;
    if (core?.visitor.mode !== "full") return address;
    let found = address;
    void this.safely(() => (found = decorated(address, core.visitor.anonymousId)));
    return found;
  }

  ready(callback: Callback): Promise<void> {
    return this.do([callback], () => undefined);
  }

  flush(): Promise<void> {
    return this.do([], (core) => core.sender.now());
  }

  private do(given: readonly unknown[], run: (core: Core) => void): Promise<void> {
    const callback = given.find((one) => typeof one === "function") as Callback | undefined;
    const whole = (core: Core) => {
      run(core);
      if (callback) setTimeout(callback, 0); // what it throws is the page's own
    };
    return this.safely(() => {
      if (this.core) whole(this.core);
      else if (this.waiting.push(whole) > 100) this.waiting.shift();
    });
  }

  private safely(run: () => unknown): Promise<void> {
    guard(run, this.core?.settings.debug ?? false);
    return Promise.resolve();
  }
}

/** One tracker at work: settings, visitor, queue and sender. */
export class Core {
  readonly visitor: Visitor;
  readonly queue: Queue;
  readonly sender: Sender;
  traits: Words = {};
  place: Place = { url: "", referrer: "" };
  private stopObserving: (() => void) | undefined;
  private hasViewed = false;

  constructor(readonly settings: Settings) {
    this.visitor = new Visitor(new Cookies(settings.cookieDomain));
    this.queue = new Queue(`q.${settings.key}.`, uuid());
    this.sender = new Sender(this.queue, settings.host, settings.key, () => this.visitor.mode === "full");
  }

  start(): void {
    const page = document as Document & { prerendering?: boolean };
    // A page the browser loads ahead is not seen yet, and may never be.
    if (page.prerendering) page.addEventListener("prerenderingchange", () => guard(() => this.begin(), this.settings.debug));
    else this.begin();
  }

  private begin(): void {
    const linked = arrived();
    const first = restored(location.href, landing());
    this.place = { url: this.told(first), referrer: document.referrer };
    this.enter(this.visitor.chosen() ?? this.assumed(), linked);
    addEventListener("storage", (event) => guard(() => this.elsewhere(event), this.settings.debug));
  }

  told(address: string): string {
    return told(address, this.settings.spa === "hash");
  }

  /** The page was put aside by the browser and is shown again: much may have changed meanwhile. */
  back(): void {
    const { visitor } = this;
    const mode = visitor.chosen() ?? (visitor.isForgotten() ? "cookieless" : visitor.mode);
    if (mode !== visitor.mode) this.enter(mode);
    else if (mode === "full") visitor.enter(mode);
    this.sender.back();
    if (this.settings.page) this.view({});
  }

  choose(mode: Mode): void {
    this.visitor.remember(mode);
    if (mode !== this.visitor.mode) this.enter(mode);
  }

  identify(userId: string | undefined, traits: unknown, options: unknown): void {
    if (this.visitor.mode !== "full") return;
    if (userId) {
      if (this.visitor.userId !== undefined && this.visitor.userId !== userId) this.traits = {};
      this.visitor.signIn(userId);
    }
    const said = copied(traits);
    this.traits = { ...this.traits, ...said };
    this.push("identify", { traits: said }, options);
  }

  group(groupId: string | undefined, traits: unknown, options: unknown): void {
    if (this.visitor.mode !== "full" || !groupId) return;
    this.visitor.join(groupId);
    this.push("group", { groupId, traits: copied(traits) }, options);
  }

  view(said: Words, options?: unknown): void {
    this.hasViewed ||= this.visitor.mode !== "off";
    this.push("page", said, options);
  }

  /** One item, fixed as it is now, on its way. */
  push(type: string, said: Words, options?: unknown, place = this.place): void {
    const { mode, anonymousId, userId, groupId } = this.visitor;
    if (mode === "off" || (mode !== "full" && type === "alias")) return;
    const more = copied(options);
    const item: Words = {
      type,
      messageId: uuid(),
      anonymousId,
      userId: mode === "full" ? userId : undefined,
      timestamp: new Date(),
      ...said,
      ...picked(more, mode === "full" ? ["timestamp", "integrations", "anonymousId", "messageId"] : ["timestamp", "messageId"]),
      context: { ...context(place, VERSION), groupId, consent: { mode }, ...copied(read(more, "context")) },
    };
    const seen = this.settings.before ? this.reviewed(item) : item;
    const body = seen ? text(seen) : "";
    if (!body) return;
    this.queue.add(body);
    this.sender.soon();
  }

  private reviewed(item: Words): unknown {
    const plain = copied(item);
    const answer = this.settings.before?.(plain);
    return answer === false ? undefined : isObject(answer) ? answer : plain;
  }

  private assumed(): Mode {
    const { consent, signals } = this.settings;
    const said = navigator as Navigator & { globalPrivacyControl?: boolean };
    const isAsked = said.globalPrivacyControl === true || said.doNotTrack === "1";
    return signals === "ignore" || !isAsked || consent === "off" ? consent : signals;
  }

  private enter(mode: Mode, linked?: string): void {
    const before = this.visitor.mode;
    // What was kept by consent goes with it; in memory too, for it carries the id.
    if (before === "full") this.queue.clear();
    if (mode !== "full") {
      this.traits = {};
      this.queue.keep(false);
    }
    if (mode === "off") this.queue.clear();
    this.visitor.enter(mode);
    if (mode === "full") this.lasting(linked);
    if (mode === "off") {
      this.stopObserving?.();
      this.stopObserving = undefined;
      return;
    }
    this.stopObserving ??= observe(this);
    if (this.settings.page && !this.hasViewed) this.view({});
  }

  private lasting(linked: string | undefined): void {
    const { visitor, settings, queue } = this;
    if (linked) visitor.become(linked);
    queue.keep(true);
    queue.adopt();
    if (queue.entries.length) this.sender.soon();
    if (settings.serverCookie) guard(() => renew(settings.host, visitor), settings.debug);
  }

  /** Another page of the site changed what is kept. */
  private elsewhere(event: StorageEvent): void {
    const name = ownName(event.key);
    const { visitor } = this;
    if (name === "consent") {
      const chosen = asMode(event.newValue);
      if (chosen && chosen !== visitor.mode) this.enter(chosen);
    } else if (visitor.mode !== "full") return;
    else if (name === "id" && event.newValue) visitor.anonymousId = event.newValue;
    // Its consent was withdrawn there; this page must not write it anew.
    else if (name === "id" && !local("id")) this.enter("cookieless");
    else if (name === "uid" || name === "gid") visitor.recall();
  }
}

/** A name or an id as text; undefined when it is none. */
function named(value: unknown): string | undefined {
  return (typeof value === "string" && value.trim()) || typeof value === "number" ? String(value) : undefined;
}

function picked(from: Words, names: readonly string[]): Words {
  const found: Words = Object.create(null) as Words;
  for (const name of names) {
    const value = read(from, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
