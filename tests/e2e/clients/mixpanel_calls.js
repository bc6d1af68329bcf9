// Calls of mixpanel (Node) as a shop makes them: node mixpanel_calls.js URL TOKEN PREFIX.
"use strict";

const Mixpanel = require("mixpanel");

const [url, token, prefix] = process.argv.slice(2);
const client = Mixpanel.init(token, { host: new URL(url).host, protocol: "http", keepAlive: false });
const PERSON = `${prefix}u-王`;
const order = { order_id: `${prefix}o1`, revenue: 399, currency: "CNY", 商品: "屏障修护精华" };
const time = new Date("2026-03-08T20:30:15.123Z");

const done = (call) =>
  new Promise((resolve, reject) => call((error) => (error ? reject(error[0] || error) : resolve())));

(async () => {
  await done((then) => client.track("Order Completed", { distinct_id: PERSON, time, $insert_id: `${prefix}1`, ...order }, then));
  await done((then) =>
    client.track_batch(
      [2, 3].map((n) => ({ event: "浏览", properties: { distinct_id: PERSON, n, $insert_id: `${prefix}${n}` } })),
      then,
    ),
  );
  await done((then) => client.people.set(PERSON, { $email: `${prefix}wang.fang@example.com` }, { $ip: "192.0.2.7" }, then));
  await done((then) => client.people.set_once(PERSON, { first_store: "HZ01" }, then));
  await done((then) => client.people.increment(PERSON, "visits", then));
  await done((then) => client.people.track_charge(PERSON, 99.5, then));
  await done((then) => client.groups.set("company", "acc-1", { name: "美丽诊所" }, then));
  await done((then) => client.alias(`${prefix}before`, PERSON, then));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
