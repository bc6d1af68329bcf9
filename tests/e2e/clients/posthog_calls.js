// Calls of posthog-node as a shop makes them: node posthog_calls.js URL KEY PREFIX plain|gzip.
"use strict";

const { PostHog } = require("posthog-node");

const [url, key, prefix, packing] = process.argv.slice(2);
const client = new PostHog(key, { host: url, disableCompression: packing === "plain", fetchRetryDelay: 1500 });
client.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});

const distinctId = `${prefix}u-王`;
const order = { order_id: `${prefix}o1`, revenue: 399, currency: "CNY", 商品: "屏障修护精华" };

(async () => {
  client.capture({ distinctId, event: "Order Completed", properties: order, timestamp: new Date("2026-03-08T20:30:15.123Z") });
  client.identify({ distinctId, properties: { email: `${prefix}wang.fang@example.com`, $set_once: { first_store: "HZ01" } } });
  client.groupIdentify({ groupType: "company", groupKey: "acc-1", properties: { name: "美丽诊所" }, distinctId });
  client.alias({ distinctId, alias: `${prefix}anon-9` });
  client.capture({ distinctId, event: "浏览", groups: { company: "acc-1" } });
  await client.captureImmediate({ distinctId, event: "at once" });
  await client.getAllFlags(distinctId);
  await client.shutdown();
})();
