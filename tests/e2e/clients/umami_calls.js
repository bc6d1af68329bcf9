// Calls of @umami/node as a shop's server makes them: node umami_calls.js URL WEBSITE.
"use strict";

const { Umami } = require("@umami/node");

const [hostUrl, websiteId] = process.argv.slice(2);
const client = new Umami({ hostUrl, websiteId });
const page = {
  hostname: "shop.example.com",
  language: "zh-CN",
  referrer: "https://www.xiaohongshu.com/",
  screen: "1920x1080",
  title: "精华页",
  url: "/p/1?utm_source=xhs&utm_medium=social",
};

(async () => {
  await client.track(page);
  await client.track("Signup", { plan: "年付", revenue: 399, currency: "CNY" });
  await client.track({ ...page, name: "Add", data: { sku: "s1" }, id: "u-王" });
  const answer = await client.identify({ email: "wang.fang@example.com" });
  console.log(JSON.stringify(await answer.json()));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
