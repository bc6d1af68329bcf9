// Calls of @snowplow/node-tracker as a shop makes them: node snowplow_calls.js HOST PORT APP post|get.
"use strict";

const snowplow = require("@snowplow/node-tracker");

const [endpoint, port, appId, eventMethod] = process.argv.slice(2);
const wanted = 6;
let arrived = 0;

const tracker = snowplow.newTracker(
  { namespace: "shop", appId, encodeBase64: eventMethod === "post" },
  {
    endpoint,
    port: Number(port),
    protocol: "http",
    eventMethod,
    bufferSize: 1,
    onRequestSuccess: (batch) => {
      arrived += batch.length;
      if (arrived === wanted) setTimeout(() => process.exit(0), 100);
    },
  },
);
tracker.setUserId("u-王");
tracker.setDomainUserId("d-1");
tracker.setPlatform("web");
tracker.setLang("zh-CN");

const page = "https://shop.example.com/精华?utm_source=xiaohongshu&utm_medium=kol";
const at = { type: "ttm", value: 1772973015000 };
const stand = { schema: "iglu:com.acme/stand/jsonschema/1-0-0", data: { hall: "N2" } };
const quote = { schema: "iglu:com.acme/quote_requested/jsonschema/1-0-0", data: { 机型: "X-9" } };
const order = { orderId: "SO-1", total: 399, tax: 9, shipping: 10, currency: "CNY", city: "杭州" };
const line = { orderId: "SO-1", sku: "S1", name: "精华", price: 199.5, quantity: 2, currency: "CNY" };

const view = { pageUrl: page, pageTitle: "屏障修护精华", referrer: "https://www.xiaohongshu.com/" };
tracker.track(snowplow.buildPageView(view), [stand]);
tracker.track(snowplow.buildStructEvent({ category: "视频", action: "Play", value: 1.5 }));
tracker.track(snowplow.buildEcommerceTransaction(order), undefined, at);
tracker.track(snowplow.buildEcommerceTransactionItem(line), undefined, at);
tracker.track(snowplow.buildSelfDescribingEvent({ event: quote }));
tracker.track(snowplow.buildScreenView({ id: "s1", name: "首页" }));
setTimeout(() => process.exit(1), 30_000);
