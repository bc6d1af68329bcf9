import assert from "node:assert/strict";
import { test } from "node:test";

import { campaign, inApp, restored, telling, told } from "../src/page.ts";

const AT = "https://shop.example/p";

test("parameters that tell of a campaign are known by name, and only with a value", () => {
  assert.deepEqual(telling("utm_source=a&x=1&GCLID=2&bd_vid=&hmsr=b&token=c"), ["utm_source=a", "GCLID=2", "hmsr=b"]);
});

test("a fragment is told where it is a route, or tells of a campaign", () => {
  assert.equal(told(`${AT}?a=1#top`, false), `${AT}?a=1`);
  assert.equal(told(`${AT}#/route`, true), `${AT}#/route`);
  assert.equal(told(`${AT}#/route?utm_source=x`, false), `${AT}#/route?utm_source=x`);
  assert.equal(told(`${AT}#access_token=x`, false), AT);
});

test("what was cut off is put back as it was written, and nothing else", () => {
  assert.equal(restored(`${AT}?page=2#x`, `${AT}?token=s&hmkw=%C3%E6&page=1`), `${AT}?page=2&hmkw=%C3%E6#x`);
  assert.equal(restored(AT, `${AT}?gclid=1`), `${AT}?gclid=1`);
  assert.equal(restored(`${AT}?gclid=1`, `${AT}?gclid=1`), `${AT}?gclid=1`);
  assert.equal(restored(AT, "https://other.example/?gclid=1"), AT);
  assert.equal(restored(AT, ""), AT);
});

test("labels are read, but for those that are no UTF-8", () => {
  assert.deepEqual({ ...campaign("?utm_source=a+b&utm_campaign=%E5%86%AC&utm_term=%C3%E6") }, { source: "a b", name: "冬" });
  assert.equal(campaign("?x=1"), undefined);
});

test("an app is known by a word that begins so", () => {
  const known = ["wxwork/4 MicroMessenger/8:wecom", "MicroMessenger/8:wechat", "Weibo (iPhone):weibo", "AliApp(DingTalk/7):dingtalk"];
  known.push("aweme_1.0:douyin", "xhsdiscover/8:xiaohongshu", "AlipayClient/10:alipay", "baiduboxapp/13:baidu", "BiliApp/7:bilibili");
  for (const line of known) {
    const [agent = "", name] = line.split(":");
    assert.equal(inApp(`Mozilla/5.0 ${agent}`), name);
  }
  assert.equal(inApp("Mozilla/5.0 Chrome/120 Safari/537.36 online/1"), undefined);
});
