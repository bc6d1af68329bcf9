// src/ → the tracker as the collector serves it (src/touchline/web/tracker/), or, with --test, the
// tests of what is pure. The list of in-app browsers comes from the collector's own table.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const MOST_BYTES = 10_000;

/** The collector's table of sources, as far as we need TOML. */
function table() {
  const text = readFileSync(join(here, "../src/touchline/collect/data/sources.toml"), "utf8");
  const words = (list) => [...list.matchAll(/"([^"]*)"/g)].map((found) => found[1]);
  const apps = /^\[in_app\]\n(.*?)^(?:#|\[)/ms.exec(text)[1].trim().split("\n");
  const lines = apps.map((line) => {
    const name = line.split("=")[0].trim();
    const marks = words(line).filter((mark, at, all) => !all.some((other) => other !== mark && mark.startsWith(other)));
    return marks.length === 1 && marks[0] === name ? name : [name, ...marks].join(":");
  });
  return { IN_APP: JSON.stringify(lines.join("|")) };
}

const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
// Names of ours that nobody outside the file says: none is a word of the browser or of the wire.
const UNSPOKEN = `adopt again assumed attend batch beacon become begin bytes choose chosen cookies core count deepest elsewhere enter
failures flights fly forget hasViewed home isAsked isFlying isForgotten isHash isKept isKnown isOwn keepBoth lasting
lastMeasured lastSign leave mayLast measure most notBefore online own place queue recall remember reviewed safely
scrolled sender settings settle sign signIn since site soon stopObserving timer told toldDeepest total turn visitor
waiting wanted wasKept widest`.split(/\s+/);
const options = {
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  define: { ...table(), VERSION: JSON.stringify(version) },
  legalComments: "none",
  logLevel: "warning",
  mangleProps: new RegExp(`^(${UNSPOKEN.join("|")})$`),
  target: ["es2020"],
};

async function bundles(folder) {
  const banner = { js: `/* Touchline ${version}, Apache-2.0 */` };
  await build({ ...options, banner, minify: true, entryPoints: ["src/boot.ts"], format: "iife", outfile: join(folder, "touchline.js") });
  await build({ ...options, banner, minify: true, entryPoints: ["src/module.ts"], format: "esm", outfile: join(folder, "touchline.mjs") });
  for (const name of ["touchline.js", "touchline.mjs"]) {
    const bytes = gzipSync(readFileSync(join(folder, name)), { level: 9 }).length;
    console.log(`${name}: ${bytes} bytes gzip`);
    if (bytes > MOST_BYTES) throw new Error(`${name} has more than ${MOST_BYTES} bytes`);
  }
  // The types are written apart from the code, so they are the declarations as they stand.
  const types = readFileSync(join(here, "src/api.ts"), "utf8");
  writeFileSync(join(folder, "touchline.d.ts"), types + "\nexport declare const touchline: Touchline;\n");
}

async function tests() {
  const folder = mkdtempSync(join(tmpdir(), "tracker-"));
  try {
    const entryPoints = readdirSync(join(here, "tests")).filter((name) => name.endsWith(".test.ts")).map((name) => join("tests", name));
    await build({ ...options, entryPoints, platform: "node", format: "esm", outdir: folder, outExtension: { ".js": ".mjs" } });
    execFileSync(process.execPath, ["--test", ...entryPoints.map((name) => join(folder, name.slice(6).replace(/ts$/, "mjs")))], { stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[2] === "--test") await tests();
else await bundles(process.argv[2] ?? join(here, "../src/touchline/web/tracker"));
