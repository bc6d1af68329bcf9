/**
 * How long and how far a page was really read: time while it is visible, focused and used, and the
 * deepest point scrolled to.
 */

const IDLE_MS = 30_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"];

export interface Read {
  /** Since the report before. */
  readonly engaged_ms: number;
  readonly engaged_total_ms: number;
  /** 100 = the end of the page was on the screen. */
  readonly scroll_percent: number;
}

export class Engagement {
  private since: number | undefined;
  private lastSign = 0;
  private total = 0;
  private told = -1; // total at the last report; none yet
  private lastMeasured = -1000;
  private deepest = 0;
  private toldDeepest = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Calls back by `listen`, which guards and later removes. */
  start(listen: (target: EventTarget, name: string, run: (event: Event) => void) => void): void {
    for (const name of SIGNS) listen(window, name, () => this.sign());
    listen(window, "scroll", () => this.scrolled());
    for (const name of ["focus", "blur"]) listen(window, name, () => this.attend());
    listen(document, "visibilitychange", () => this.attend());
    this.sign();
  }

  /** Something the visitor did. */
  sign(isAttentive = document.visibilityState !== "hidden" && document.hasFocus()): void {
    this.count();
    this.lastSign = this.now();
    this.since = isAttentive ? this.lastSign : undefined;
  }

  /** Asking for a page's height is dear, and scrolling comes sixty times a second. */
  scrolled(): void {
    if (this.now() - this.lastMeasured < 250) return;
    this.measure();
  }

  attend(): void {
    if (document.visibilityState !== "hidden" && document.hasFocus()) this.sign(true);
    else {
      this.count();
      this.since = undefined;
    }
  }

  /** What there is to report; undefined when nothing is new. */
  report(): Read | undefined {
    this.count();
    this.measure();
    const isNew = this.told < 0 || this.total - this.told >= 1000 || this.deepest > this.toldDeepest;
    if (!isNew) return undefined;
    const found = {
      engaged_ms: Math.round(this.total - Math.max(this.told, 0)),
      engaged_total_ms: Math.round(this.total),
      scroll_percent: this.deepest,
    };
    this.told = this.total;
    this.toldDeepest = this.deepest;
    return found;
  }

  /** Another page begins. */
  reset(): void {
    this.count();
    this.total = this.deepest = this.toldDeepest = 0;
    this.told = -1;
  }

  private count(): void {
    const now = this.now();
    if (this.since === undefined) return;
    const end = Math.min(now, this.lastSign + IDLE_MS);
    this.total += Math.max(0, end - this.since);
    this.since = Math.max(this.since, end);
  }

  private measure(): void {
    this.lastMeasured = this.now();
    const page = document.documentElement;
    if (!page || (document.visibilityState === "hidden" && !this.total)) return;
    const height = Math.max(page.scrollHeight, document.body?.scrollHeight ?? 0);
    const seen = height ? Math.min(100, Math.round((100 * (window.scrollY + window.innerHeight)) / height)) : 0;
    if (seen > this.deepest) this.deepest = seen;
  }
}
