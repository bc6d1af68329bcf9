/** For bundlers: `import { touchline } from "…/touchline.mjs"`, then `touchline.init({key, host})`. */

import type { Touchline } from "./api.ts";
import { Tracker } from "./tracker.ts";

export type * from "./api.ts";

export const touchline: Touchline = new Tracker();
