// Calls of @jitsu/js as a shop's server makes them: node jitsu_calls.js URL ID:SECRET PREFIX s2s|web.
"use strict";

const { jitsuAnalytics } = require("@jitsu/js");

const [url, writeKey, prefix, from] = process.argv.slice(2);
const client = jitsuAnalytics({ host: url, writeKey, s2s: from === "s2s", errorPolicy: "rethrow" });
const order = { order_id: `${prefix}o1`, revenue: 399, currency: "CNY", 商品: "屏障修护精华" };

(async () => {
  await client.identify(`${prefix}u-王`, { email: `${prefix}wang.fang@example.com` });
  await client.track("Order Completed", order);
  await client.page({ name: "精华页", url: "https://shop.example.com/p/1" });
  await client.group("acc-1", { name: "美丽诊所" });
  await new Promise((resolve) => setTimeout(resolve, 500));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
