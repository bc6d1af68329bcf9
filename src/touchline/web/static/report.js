// The report page: asks the API with the admin key and draws one table. Text only ever goes through
// textContent, for channel and campaign names come from trackers and are hostile.

const WORDS = {
  en: {
    motto: "what each touch was worth", key: "Admin key", open: "Open", other: "中文",
    by: "By", channel: "Channel", campaign: "Campaign", term: "Keyword", window: "Window",
    from: "From", to: "To", cost: "Cost", conversions: "Conversions", revenue: "Revenue",
    roi: "ROI", roas: "ROAS", cac: "CAC", loading: "Working …",
    first_touch: "First touch", last_touch: "Last touch", linear: "Linear", markov_1: "Data-driven (Markov)",
    total: "Total", no_touch: "Unattributed: no touch in the window", no_rate: "Unattributed: no exchange rate",
    fine: "ROI = (revenue − cost) / cost, ROAS = revenue / cost, CAC = cost / conversions, all by the data-driven model. Rows and unattributed add up to the totals exactly.",
    summary: (n, money) => `${n} conversions, ${money}`, none: "(not set)",
    provisional: (money, from, to) => `${money} of the cost (${from} to ${to}) may still change.`,
    aggregates: "Touches that name nobody, beside the credit", place: "Place", impressions: "Impressions",
    clicks: "Clicks", engagements: "Engagements", visits: "Visits",
    arrived: "Latest arrivals of the past hour", time: "Time", event: "Event", page: "Page",
    empty: "No conversions in this period. Send events, or import orders with: touchline import conversions",
  },
  zh: {
    motto: "触点成线,看清每一次触达的价值", key: "管理密钥", open: "打开", other: "English",
    by: "维度", channel: "渠道", campaign: "营销活动", term: "关键词", window: "归因窗口期",
    from: "开始日期", to: "结束日期", cost: "营销费用", conversions: "归因转化数", revenue: "归因金额",
    roi: "投资回报率(ROI)", roas: "投产比(ROAS)", cac: "获客成本", loading: "正在计算……",
    first_touch: "首次触达", last_touch: "末次触达", linear: "线性", markov_1: "数据驱动(马尔可夫)",
    total: "合计", no_touch: "未归因:窗口期内没有触点", no_rate: "未归因:缺少汇率",
    fine: "ROI =(金额 − 费用)/ 费用,ROAS = 金额 / 费用,获客成本 = 费用 / 转化数,均按数据驱动模型计算。各行加未归因与合计严格相等。",
    summary: (n, money) => `共 ${n} 个转化,${money}`, none: "(未设置)",
    provisional: (money, from, to) => `其中 ${from} 至 ${to} 的费用 ${money} 仍可能调整。`,
    aggregates: "汇总触点(无法对应到人,不参与归因,仅供对照)", place: "地点", impressions: "曝光",
    clicks: "点击", engagements: "互动", visits: "到访",
    arrived: "最近一小时收到的数据(最新在前)", time: "时间", event: "事件", page: "页面",
    empty: "该时间段没有转化。请先接入事件,或用 touchline import conversions 导入订单",
  },
};
// Channels that rules made carry GA4's English names in the data; a site's own names stay as they are.
const CHANNELS_ZH = {
  "Direct": "直接访问", "Cross-network": "跨网络广告", "Paid Shopping": "付费购物", "Paid Search": "付费搜索",
  "Paid Social": "付费社交", "Paid Video": "付费视频", "Display": "展示广告", "Paid Other": "其他付费",
  "Organic Shopping": "自然购物", "Organic Social": "自然社交", "Organic Video": "自然视频", "Organic Search": "自然搜索",
  "AI Assistant": "AI 助手", "Private Domain": "私域", "Referral": "外部引荐", "Email": "邮件", "Affiliates": "联盟营销", "Audio": "音频",
  "SMS": "短信", "Mobile Push Notifications": "推送", "Unassigned": "未归类",
};
const MODELS = ["first_touch", "last_touch", "linear", "markov_1"];
const LEAD = "markov_1";
const HOUR_MS = 3_600_000;
const $ = (id) => document.getElementById(id);
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let answer = null;
let arrived = [];

const say = (word) => WORDS[language][word] ?? word;
const count = (n) => n.toLocaleString(language, { maximumFractionDigits: 1 });
const ratio = (n) => (n === null ? "–" : n.toLocaleString(language, { maximumFractionDigits: 2 }));

function money(minor, currency) {
  if (minor === null) return "–";
  const style = new Intl.NumberFormat(language, { style: "currency", currency, maximumFractionDigits: 0 });
  const places = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  return style.format(minor / 10 ** places);
}

function cell(tag, text, options = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (options.span) made.colSpan = options.span;
  if (options.share > 0) {
    made.className = "bar";
    made.style.setProperty("--share", `${Math.round(options.share * 100)}%`);
  }
  if (options.low) made.classList.add("low");
  return made;
}

function line(...cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  $("language").textContent = say("other");
  if (answer) drawReport(answer);
}

function channelName(channel) {
  return language === "zh" ? CHANNELS_ZH[channel] ?? channel : channel;
}

function byLabel(rows) {
  const found = new Map();
  for (const row of rows) {
    const name = [channelName(row.channel), row.campaign, row.term].filter((part) => part !== null).join(" › ");
    if (!found.has(name)) found.set(name, {});
    found.get(name)[row.model] = row;
  }
  const worth = (models) => models[LEAD]?.revenue ?? 0;
  return [...found].sort(([, a], [, b]) => worth(b) - worth(a));
}

// Posters, podcasts, creators: what was shown where and when, beside what is credited to people.
function drawAggregates(rows, currency) {
  const figures = ["impressions", "clicks", "engagements", "visits"];
  const names = ["channel", "place", "from", "to", "cost", ...figures];
  const told = (row, name) => (name === "cost" ? money(row.cost, currency) : figures.includes(name) && row[name] !== null ? count(row[name]) : row[name] ?? "–");
  $("aggregates").hidden = rows.length === 0;
  $("aggregates").querySelector("table").replaceChildren(
    line(...names.map((name) => cell("th", say(name)))),
    ...rows.map((row) => line(...names.map((name) => cell("td", told(row, name))))),
  );
}

// Before there is a conversion: what the site has sent, so that whoever connects it sees it arrive.
function drawArrived(events) {
  const told = {
    time: ({ timestamp }) => new Date(timestamp).toLocaleTimeString(language),
    event: ({ name }) => name, page: ({ page_title, page_url }) => page_title ?? page_url ?? "–",
    channel: ({ channel }) => channelName(channel ?? "–"),
  };
  $("arrived").hidden = events.length === 0;
  $("arrived").querySelector("table").replaceChildren(
    line(...Object.keys(told).map((name) => cell("th", say(name)))),
    ...events.map((event) => line(...Object.values(told).map((tell) => cell("td", tell(event))))),
  );
}

function drawReport({ currency, rows, conversions, revenue, unattributed, aggregates = [], provisional = null }) {
  const lines = byLabel(rows);
  const most = Math.max(1, ...lines.flatMap(([, models]) => MODELS.map((m) => models[m]?.revenue ?? 0)));
  const head = document.querySelector("thead");
  const shown = MODELS.filter((m) => rows.some((row) => row.model === m));
  head.replaceChildren(
    line(cell("th", ""), cell("th", ""), ...shown.map((m) => cell("th", say(m), { span: 2 })), cell("th", say(LEAD), { span: 3 })),
    line(
      cell("th", say("channel")), cell("th", say("cost")),
      ...shown.flatMap(() => [cell("th", say("conversions")), cell("th", say("revenue"))]),
      cell("th", say("cac")), cell("th", say("roas")), cell("th", say("roi")),
    ),
  );
  document.querySelector("tbody").replaceChildren(...lines.map(([name, models]) => {
    const lead = models[LEAD] ?? { cac: null, roas: null, roi: null };
    const any = Object.values(models)[0];
    return line(
      cell("td", name || say("none")), cell("td", money(any.cost, currency)),
      ...shown.flatMap((m) => {
        const row = models[m] ?? { conversions: 0, revenue: 0 };
        return [cell("td", count(row.conversions)), cell("td", money(row.revenue, currency), { share: row.revenue / most })];
      }),
      cell("td", money(lead.cac, currency)), cell("td", ratio(lead.roas)),
      cell("td", ratio(lead.roi), { low: lead.roi !== null && lead.roi < 0 }),
    );
  }));
  const costs = lines.reduce((sum, [, models]) => sum + Object.values(models)[0].cost, 0);
  const rest = Object.entries(unattributed).filter(([, part]) => part.conversions || part.revenue);
  const across = (n, amount) => shown.flatMap(() => [cell("td", count(n)), cell("td", money(amount, currency))]);
  document.querySelector("tfoot").replaceChildren(
    line(cell("td", say("total")), cell("td", money(costs, currency)), ...across(conversions, revenue), cell("td", "", { span: 3 })),
    ...rest.map(([reason, part]) => line(cell("td", say(reason)), cell("td", ""), ...across(part.conversions, part.revenue), cell("td", "", { span: 3 }))),
  );
  $("summary").textContent = conversions ? say("summary")(count(conversions), money(revenue, currency)) : say("empty");
  if (provisional) $("summary").textContent += ` ${say("provisional")(money(provisional.cost, currency), provisional.from, provisional.to)}`;
  drawAggregates(aggregates, currency);
  drawArrived(arrived);
  $("credit").hidden = lines.length === 0 && rest.length === 0;
  $("report").hidden = false;
}

async function latest(headers) {
  const from = new Date(Date.now() - HOUR_MS).toISOString();
  const reply = await fetch(`/api/v1/events?limit=1000&from=${from}`, { headers });
  if (!reply.ok) return [];
  const lines = (await reply.text()).trim().split("\n").filter(Boolean);
  return lines.slice(-10).reverse().map((text) => JSON.parse(text));
}

async function ask() {
  const key = sessionStorage.getItem("key");
  $("entry").hidden = Boolean(key);
  $("question").hidden = !key;
  if (!key) return;
  $("note").textContent = say("loading");
  const query = new URLSearchParams({ models: MODELS.join(",") });
  for (const [name, value] of new FormData($("question"))) if (value) query.set(name, value);
  const headers = { authorization: `Bearer ${key}`, "accept-language": language };
  const reply = await fetch(`/api/v1/attribution?${query}`, { headers });
  const found = await reply.json();
  $("note").textContent = reply.ok ? "" : found.detail;
  if (reply.status === 401) {
    sessionStorage.removeItem("key");
    $("entry").hidden = false;
    $("question").hidden = true;
  }
  if (reply.ok) {
    answer = found;
    arrived = found.conversions ? [] : await latest(headers);
    draw();
  }
}

const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given) {
  sessionStorage.setItem("key", given);
  history.replaceState(null, "", location.pathname);
}
$("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("key", $("key").value);
  ask();
});
$("question").addEventListener("change", ask);
$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  draw();
});
draw();
ask();
