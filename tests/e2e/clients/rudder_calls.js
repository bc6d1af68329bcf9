// Calls of @rudderstack/rudder-sdk-node as a shop makes them: node rudder_calls.js URL KEY PREFIX [LAST].
"use strict";

const Analytics = require("@rudderstack/rudder-sdk-node");

const [dataPlaneUrl, writeKey, prefix, last = 206] = process.argv.slice(2);
const client = new Analytics(writeKey, { dataPlaneUrl, flushAt: 50, flushInterval: 300 });
const who = { userId: "u-王" };
const at = new Date("2026-03-08T20:30:15Z");
const id = (number) => ({ messageId: `${prefix}${number}` });
const order = { order_id: "o-1", revenue: 399, currency: "CNY", 商品: "屏障修护精华" };

client.identify({ ...who, ...id(1), traits: { email: "wang.fang@example.com" } });
client.track({ ...who, ...id(2), event: "Order Completed", properties: order, originalTimestamp: at });
client.page({ ...who, ...id(3), name: "精华页" });
client.screen({ ...who, ...id(4), name: "购物车" });
client.group({ ...who, ...id(5), groupId: "acc-1", traits: { name: "美丽诊所" } });
client.alias({ ...who, ...id(6), previousId: "anon-9" });
for (let number = 7; number <= last; number++) {
  client.track({ ...who, ...id(number), event: "Product Viewed", properties: { n: number } });
}
client.flush().then(() => setTimeout(() => process.exit(), 2000));
