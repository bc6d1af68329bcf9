// Calls of matomo-tracker as a shop makes them: `node matomo_calls.js URL SITE`.
"use strict";

const MatomoTracker = require("matomo-tracker");

const [url, site] = process.argv.slice(2);
const tracker = new MatomoTracker(Number(site), `${url}/matomo.php`);
tracker.on("error", (error) => {
  console.error(error);
  process.exit(1);
});

const visitor = { _id: "0123456789abcdef", uid: "u-王", cdt: "2026-03-08T12:30:15.000Z" };
const page = "https://shop.example.com/精华?utm_source=xiaohongshu&utm_medium=kol";
const seen = { ...visitor, url: page };
const ec_items = JSON.stringify([["S1", "精华", ["护肤", "新品"], 199.5, 2]]);

tracker.track("https://shop.example.com/plain");
tracker.track({
  ...seen,
  action_name: "屏障修护精华",
  urlref: "https://www.xiaohongshu.com/",
  res: "1920x1080",
  lang: "zh-CN",
  ua: "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0",
  cvar: JSON.stringify({ 1: ["level", "gold"] }),
  dimension1: "vip",
  rand: "483920",
  pv_id: "x1Yz9a",
});
tracker.track({ ...seen, search: "防晒", search_cat: "护肤", search_count: 4 });
tracker.track({ ...seen, download: "https://shop.example.com/成分表.pdf" });
tracker.track({ ...seen, link: "https://else.example.com/" });
tracker.track({ ...seen, ping: 1 });
tracker.trackBulk(
  [
    { ...seen, e_c: "Buy", e_a: "rightButton", e_n: "精华", e_v: "2" },
    { ...seen, idgoal: 3, revenue: 9.9 },
    { ...seen, idgoal: 0, revenue: 199.5, ec_items },
    { ...seen, idgoal: 0, ec_id: "SO-1", revenue: 399, ec_st: 380, ec_tx: 9, ec_sh: 10, ec_items },
    { ...seen, c_n: "Banner", c_p: "a.jpg", c_t: "https://shop.example.com/a", c_i: "click" },
  ],
  (told) => {
    process.stdout.write(told);
    // The library does not read the answers of single calls, which keeps Node waiting.
    setTimeout(() => process.exit(0), 1000);
  },
);
