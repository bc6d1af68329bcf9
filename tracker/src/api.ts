/** What a page may call and set: the types of the browser tracker of Touchline. */

/** `off` sends nothing, `cookieless` keeps nothing on the device and names nobody, `full` does both. */
export type Mode = "off" | "cookieless" | "full";

export type Callback = () => void;

export interface Options {
  /** The write key of the source. */
  key: string;
  /** Where the collector is, such as https://t.example.com; by default where the script came from. */
  host?: string;
  /** What may be done until the visitor has chosen. */
  consent?: Mode;
  /** What Do-Not-Track or Global Privacy Control lowers the consent to, until the visitor has chosen. */
  signals?: "ignore" | "cookieless" | "off";
  /** Report the first view of each page. */
  page?: boolean;
  /** Report later views of a single-page application; "hash" where routes stand behind a #. */
  spa?: boolean | "hash";
  /** Report outbound links, downloads, mailto and tel. */
  links?: boolean;
  /** Report submitted forms; "identify" also reads e-mail and phone fields that are not marked. */
  forms?: boolean | "identify";
  /** Report engaged time and scroll depth when a page is left. */
  engagement?: boolean;
  /** Report clicks on any button or link. */
  clicks?: boolean;
  /** Other domains of yours: links to them carry the visitor's id. */
  domains?: readonly string[];
  /** The domain cookies are set for; by default the widest the browser allows. */
  cookieDomain?: string;
  /** Let the collector set the id's cookie where it is on the same site: some browsers keep it longer. */
  serverCookie?: boolean;
  /** Sees each item before it is kept; changes it, or drops it by returning false. */
  before?: (item: Record<string, unknown>) => unknown;
  /** Say in the console what goes wrong. */
  debug?: boolean;
}

export interface Traits {
  email?: string;
  phone?: string;
  [name: string]: unknown;
}

/** Of one call: its own time, id, or more context. */
export interface CallOptions {
  timestamp?: Date | string;
  messageId?: string;
  anonymousId?: string;
  context?: Record<string, unknown>;
  integrations?: Record<string, unknown>;
}

type Properties = Record<string, unknown>;

export interface Touchline {
  readonly version: string;
  /** Begins. A second call changes nothing. */
  init(options: Options): Promise<void>;
  /** As analytics.js begins, whose pages call `page()` themselves: `load("KEY", {host})`. */
  load(key: string, options?: Partial<Options>): Promise<void>;
  identify(userId: string | number | undefined, traits?: Traits, options?: CallOptions, callback?: Callback): Promise<void>;
  identify(traits: Traits, options?: CallOptions, callback?: Callback): Promise<void>;
  track(event: string, properties?: Properties, options?: CallOptions, callback?: Callback): Promise<void>;
  page(category: string, name: string, properties?: Properties, options?: CallOptions, callback?: Callback): Promise<void>;
  page(name: string, properties?: Properties, options?: CallOptions, callback?: Callback): Promise<void>;
  page(properties?: Properties, options?: CallOptions, callback?: Callback): Promise<void>;
  group(groupId: string | number, traits?: Properties, options?: CallOptions, callback?: Callback): Promise<void>;
  /** By default the id of this device is the previous one. */
  alias(userId: string | number, previousId?: string, options?: CallOptions, callback?: Callback): Promise<void>;
  /** Signed out: whoever comes next is someone else. */
  reset(): Promise<void>;
  /** `traits` are those said on this page: they are not kept on the device. */
  user(): { id(): string | undefined; anonymousId(): string | undefined; traits(): Properties };
  setAnonymousId(id: string): Promise<void>;
  /** What the visitor chose, kept for later pages; without an argument, what is in force. */
  consent(mode?: Mode): Mode;
  /** The address with the visitor's id, for a page that leads to another domain of yours by itself. */
  decorate(address: string): string;
  ready(callback: Callback): Promise<void>;
  /** Sends now what waits. */
  flush(): Promise<void>;
}
