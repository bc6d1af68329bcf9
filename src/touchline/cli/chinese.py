"""What `--help` says, in Chinese: the English text of `cli.parser` → the Chinese one."""

__all__ = ["HELP", "PARTS"]

HELP = {
    "Choose an attribution model, and see how right each is.": "选择归因模型,了解各模型有多准。",
    "Score every model in worlds whose truth is known.": "在已知真相的模拟世界里给每个模型打分。",
    "comma separated, own or all (default all)": "用逗号分隔,或 own(自有)、all(默认全部)",
    "Say which model to use, and why.": "推荐归因模型,并说明理由。",
    "the aim": "要解决的问题:预算、汇报、拉新、收口",
    "of which conversions (default the first)": "针对哪个转化目标(默认第一个)",
    "first touch to conversion": "从首次触达到转化的天数",
    "in the period of the report": "统计周期内的数量",
    "how many there are": "总数",
    "lift tests that were made": "已做的增量实验次数",
    "a CRM tells when leads and opportunities began": "CRM 记录了线索和商机的开始时间",
    "worlds of each kind": "每种世界模拟几次",
    "in each world": "每个世界的人数",
    "Scattered marketing touches become one line per customer, each with its worth.": (
        "把散落各处的营销触点连成每位客户的一条线,并算出每个触点的价值。"
    ),
    "Make a workspace in DIR.": "在 DIR 新建工作区。",
    "what reports count in (default CNY)": "报表所用货币(默认 CNY)",
    "what a day is": "按哪个时区划分日期",
    "phone numbers without a country code": "不带国家码的手机号属于哪个地区",
    "a key for trackers; NAME is the source (again for more)": (
        "埋点写入密钥,NAME 为数据源名称(可重复填写)"
    ),
    "Collect events and answer queries over HTTP.": "启动服务:通过 HTTP 采集事件、回答查询。",
    "Print what a web page needs to report to DIR.": "输出网页上报到 DIR 所需的代码。",
    "whose write key (default web, or the first)": "用哪个数据源的写入密钥(默认 web 或第一个)",
    "the write key itself, where DIR does not know it in clear": (
        "写入密钥本身(DIR 中没有保存明文时填写)"
    ),
    "where browsers reach the collector": "浏览器访问采集服务的地址",
    "for pages that call touchline before it has loaded": (
        "适用于在脚本加载完成前就调用 touchline 的网页"
    ),
    "Read a file into a workspace.": "把文件导入工作区。",
    "names the columns: a file, or a name of `maps`": "字段映射:文件,或 maps 列出的名称",
    "which sheet of a workbook": "读取工作簿的哪个工作表",
    "List the exports that are recognised, or print a map.": (
        "列出可自动识别的导出格式,或输出某个映射。"
    ),
    "print this map, to adjust it": "输出该映射,便于修改后使用",
    "where the rows come from (default: the kind)": "数据来源(默认与类型同名)",
    "show what would be read, store nothing": "只预览读取结果,不入库",
    "Credit conversions to channels.": "计算各渠道的转化归因。",
    "Show how channels follow, help and join each other.": "查看渠道之间的先后、协同与组合。",
    "transitions from the last K channels": "按最近 K 个渠道计算转移",
    "combinations told one by one": "逐一列出的组合数",
    "of time_decay (default 7), or fitted": "time_decay 的半衰期(默认 7 天),或 fitted(拟合)",
    "of position_based: first=0.4,last=0.4,rest=0.2": (
        "position_based 的权重:first=0.4,last=0.4,rest=0.2"
    ),
    "of custom: first=0.5,lead=0.3,opportunity=0.1,last=0.1": (
        "custom(自定义规则)的权重:first=0.5,lead=0.3,opportunity=0.1,last=0.1"
    ),
    "aggregated paths instead of DIR": "使用汇总路径文件,不需要工作区",
    "comma separated (default all)": "归因模型,用逗号分隔(默认 all,即全部)",
    "channel, and any of campaign, content, stage ...": (
        "拆分维度:channel,可加 campaign、content、stage 等"
    ),
    "how long before a conversion (default the goal's, or 90d)": (
        "转化前的归因窗口(默认按转化目标的设置,否则 90d)"
    ),
    "first local day of conversions": "转化的起始日期(当地时间)",
    "last local day of conversions": "转化的截止日期(当地时间,含当天)",
    "what was known at the end of that day": "以当天结束时的已知数据为准",
    "Show who opens, helps and closes, and what wins.": (
        "查看各渠道的角色(首次触达、过程影响、最终转化)、转化周期、常见路径与流失。"
    ),
    "how many paths (default 20)": "显示多少条路径(默认 20)",
    "Show what a conversion's credit, or a number, is made of.": (
        "查看某个转化的功劳如何分配,或某个数字由哪些转化构成。"
    ),
    "the conversions behind a number of this model": "列出该模型下某个数字背后的转化",
    "with --model: of this label ('' for none)": "与 --model 同用:按该标签筛选('' 表示没有名称)",
    "what each model means, and its limits": "各模型的含义与局限",
    "how sure each figure is, such as 0.95": "给出每个数字的误差范围,如 0.95",
    "draw whole customers so often (interval 0.95)": "按客户整体重抽多少次(误差范围 0.95)",
    "Write a workspace's rows to a file or stdout.": "把工作区的数据导出到文件或标准输出。",
    "credit: which goal": "用于 credit:转化目标",
    "credit: which models": "用于 credit:归因模型",
    "credit: how long before a conversion": "用于 credit:归因窗口",
    "Put definitions (goals, channel rules ...) in force.": "启用定义(转化目标、渠道规则等)。",
    "Print the definitions in force.": "输出当前生效的定义。",
    "Check that everything received is accounted for.": "核对收到的每一条数据都有去向。",
    "Derive anew all that can be derived.": "按当前规则重新计算所有派生数据。",
    "Build the demo company, print its report, serve it.": "生成演示公司,输出报表并启动服务。",
    "Make, list and revoke keys.": "新建、列出、吊销密钥。",
    "Make a key, or give one more aliases.": "新建密钥,或为已有密钥添加别名。",
    "the key itself (default: one is made up)": "密钥内容(默认自动生成)",
    "write key: the source of what it sends (default keyN)": "写入密钥:数据源名称(默认 keyN)",
    "what another tracker calls the site, such as matomo:1 (again for more)": (
        "其他埋点工具对该站点的叫法,如 matomo:1(可重复填写)"
    ),
    "admin key: what it may do (again for more; default all)": (
        "管理密钥的权限(可重复填写,默认全部)"
    ),
    "List the keys, none by its value.": "列出所有密钥(不显示密钥内容)。",
    "Change the root key, or the key that signs receipts.": "轮换根密钥,或轮换删除凭证的签名密钥。",
    "Take away what has been kept long enough.": "清理已过保留期的数据。",
    "why, for the audit log": "原因,记入审计日志",
    "List the public keys of receipts, past ones too.": "列出删除凭证的公钥,包括已停用的。",
    "End a key for good.": "永久吊销一个密钥。",
    "Write all that is stored of a person into a ZIP.": "将某位客户的全部个人信息导出为 ZIP。",
    "Erase a person everywhere, with a signed receipt.": "彻底删除某位客户,并出具签名凭证。",
    "such as a ticket; it must not name the person": "如工单号,不得包含客户的标识",
    "show what would go, change nothing": "只预览将删除的内容,不做改动",
    "go on with one that was cut short": "继续完成中断的删除请求",
    "where the receipt goes": "凭证保存到哪个文件",
    "List requests to be erased, or print a receipt.": "列出删除请求,或输出删除凭证。",
    "print its receipt": "输出该请求的凭证",
    "Take an identifier in again that was erased.": "恢复接收已删除客户的标识。",
    "why; it must not name the person": "原因,不得包含客户的标识",
    "Check the receipt of an erasure.": "校验删除凭证的真伪。",
    "a public key or fingerprint of the company, or a file with its list (again for more)": (
        "企业的公钥或指纹,或公钥列表文件(可重复填写)"
    ),
    "List who did and who saw what.": "查看操作审计日志:谁在何时做了什么、查看了什么。",
    "only this, such as person.erase or read.people": "只看该操作,如 person.erase、read.people",
    "only by them, such as key:4f0c2a9d1b77": "只看该操作人,如 key:4f0c2a9d1b77",
    "only about them": "只看与该客户有关的记录",
    "its id, its value, or a name only it has": "编号、密钥内容,或没有重名的名称",
    "Say which events and touchpoints there should be, and check it.": (
        "管理埋点方案与触点地图,并核对实际数据。"
    ),
    "List what goes against the plan; exit 1 if anything does.": (
        "列出不符合方案的数据;有问题时退出码为 1。"
    ),
    "how many days back, today included (default 7)": "往前看几天,含今天(默认 7)",
    "how many days back, today included (default 30)": "往前看几天,含今天(默认 30)",
    "List the touchpoints, each with its status.": "列出触点地图及每个触点的状态。",
    "Begin with the plan and the touchpoints of a business.": (
        "用行业模板建立埋点方案和触点地图。"
    ),
    "beauty-retail, precision-manufacturing or saas": (
        "模板:beauty-retail(美妆零售)、precision-manufacturing(精密制造)或 saas"
    ),
    "of names (default the terminal's)": "名称所用语言(默认与终端一致)",
    "print it, put nothing in force": "只输出,不启用",
    "Print a plan that describes the events that came in.": "根据已收到的事件生成埋点方案。",
    "See what could not be stored, and store it after all.": "查看未能入库的数据,并重新入库。",
    "List rejects, each with its reason.": "列出异常数据及原因。",
    "only those with this reason": "只看该原因",
    "only those of this source": "只看该数据源",
    "first day": "起始日期",
    "the day after the last": "截止日期(不含当天)",
    "at most so many": "最多显示多少条",
    "Read rejects again and store those that are right now.": (
        "重新读取异常数据,已无问题的直接入库。"
    ),
    "the id of a reject (again for more)": "异常数据的编号(可重复填写)",
    "all that are open": "全部未处理的数据",
    "See which channel a visit gets.": "查看一次访问会归入哪个渠道。",
    "Print a visit's channel, and the rule that decides.": "输出一次访问的渠道及判定规则。",
    "address of the page": "落地页网址",
    "where the link to it was": "来源页网址",
    "the visitor's browser": "访客的浏览器标识(User-Agent)",
    "default: that in force": "默认使用当前生效的模式",
    "JSON that corrects the one --id (- is stdin)": (
        "用于替换该 --id 内容的 JSON 文件(- 为标准输入)"
    ),
    "Make and list short links, check names.": "新建、列出短链,检查命名。",
    "Make a short link to a page, for a campaign.": "为某个营销活动新建指向网页的短链。",
    "the page it leads to": "要跳转到的网页",
    "what stands behind /l/ (default: made up)": "/l/ 后面的代码(默认自动生成)",
    "default: what the channel rules say": "默认由渠道规则决定",
    "what it is for, to find it again": "用途备注,便于查找",
    "who looks after it": "负责人",
    "the last day it is good": "有效期的最后一天",
    "whom alone it is for, such as email:ann@shop.cn": "专属于哪位客户,如 email:ann@shop.cn",
    "where visitors reach the server (default public_url)": (
        "访客访问本服务的网址(默认 public_url 设置)"
    ),
    "show it, make nothing": "只预览,不创建",
    "List short links, the newest first.": "列出短链,最新的在前。",
    "Hold the names visitors came with against the rules.": "按命名规则检查访客带来的活动参数。",
    "only of this campaign": "只看该营销活动",
    "only of this source": "只看该来源",
    "only of this owner": "只看该负责人",
    "at most so many (default 1000)": "最多显示多少条(默认 1000)",
    "Print what is known of a person.": "查看一位客户的档案。",
    "List companies, or the people of one.": "列出企业,或某家企业的客户。",
    "its id or a domain of it": "企业编号(account_id)或邮箱域名",
    "List who shares a home, if [households] is on.": "列出同住的家庭(需开启 [households])。",
    "Put tags on a person, or take them off.": "为客户打标签、去标签。",
    "Say who looks after a person.": "指定客户的负责人。",
    "a tag to take off": "要去掉的标签",
    "default: nobody any more": "不填则清除负责人",
    "Explain why two values are one person's, or are not.": (
        "说明两个标识为什么是(或不是)同一位客户。"
    ),
    "See who is one person, and decide it.": "查看客户的合并情况,并人工决定。",
    "Say that two values are one person's, as far as limits allow.": (
        "确认两个标识属于同一位客户(在上限允许范围内合并)。"
    ),
    "Say that two values are not one person's.": "确认两个标识不属于同一位客户(拆分)。",
    "person_id, TYPE:VALUE or a value": "person_id、类型:值,或标识值",
    "See and change what makes people.": "查看并调整客户识别的依据。",
    "Print the rules in force, each with where it is from.": "显示当前识别规则及其来源。",
    "Print what another [identity] would change.": "试算:换一套 [identity] 规则会带来哪些变化。",
    "List the values that join nobody, and why.": "列出不参与合并的存疑标识及原因。",
    "a value that shall join nobody": "屏蔽一个标识,不再用于合并",
    "a value that shall join people": "解除屏蔽,恢复用于合并",
    "Find records that may be one person's.": "查找可能属于同一客户的档案。",
    "what is likelier joins by itself (default 0.999; 1: none)": (
        "高于该可能性自动合并(默认 0.999;填 1 则全部人工审核)"
    ),
    "count only, keep nothing": "仅统计,不保存",
    "List what matching suggests, accept or reject one.": "列出匹配建议,或接受、拒绝其中一条。",
    "at most so many (default 100)": "最多列出多少条(默认 100)",
    "the two are one person": "确认是同一客户(填编号)",
    "they are not": "确认不是同一客户(填编号)",
    "List what was decided by hand, or undo one.": "列出人工决定,或撤销其中一个。",
    "the number of a decision": "决定编号",
    "why, for whoever reads it later": "原因,供以后查阅",
    "who decided (default: who runs this)": "决定人(默认为当前用户)",
    "show what it changes, decide nothing": "只显示会带来的变化,不生效",
    "Draw the QR code of a short link, or of any address.": "生成短链或任意网址的二维码。",
    "of a short link": "短链代码",
    "an address instead, with what is said of its campaign": "改用网址,并附上营销活动参数",
    "default: by the name of FILE": "默认按文件名的后缀",
    "a line of text beneath it": "二维码下方的一行文字",
    "what may be covered": "容错级别",
    "quiet zone in modules (default 4)": "四周留白的模块数(默认 4)",
    "pixels of a module (default 8)": "每个模块的像素数(默认 8)",
    "PNG: the font of the label": "PNG 文字所用的字体文件",
    "Pull rows from an API, a database or a folder.": "从 API、数据库或文件夹拉取数据。",
    "Add the sources of a definition file, or replace them.": "添加(或替换)定义文件中的数据源。",
    "a credential the file names as secret:NAME: asked for, or a line of stdin": (
        "文件中以 secret:NAME 引用的凭证:运行时询问,或从标准输入逐行读取"
    ),
    "Pull what is new now.": "立即拉取新数据。",
    "again from this day on": "从这一天起重新拉取",
    "show the first rows, store nothing": "只预览前几行,不入库",
    "List the sources, or the runs of one.": "列出数据源,或某个数据源的运行记录。",
    "End a run in its course.": "停止正在进行的运行。",
    "Remove a source; what it brought stays.": "移除数据源,已入库的数据保留。",
    "Make a signed link to a person's preferences.": "生成客户的隐私与订阅设置链接(带签名)。",
    "what unsubscribing is from (default all marketing)": "退订哪个渠道(默认全部营销)",
    "how long it is good (default 400)": "有效天数(默认 400)",
    "where people reach the server (default public_url)": "客户访问服务器的网址(默认 public_url)",
    "See and record what people agree to.": "查看、登记客户的同意。",
    "Print what a person agreed to, and what that comes to.": (
        "输出客户同意了什么、目前可以做什么。"
    ),
    "Record an answer that a person gave.": "登记客户的同意或拒绝。",
    "Print who gets which field, on what ground.": "输出向谁提供哪些字段、依据是什么。",
    "such as marketing": "例如 marketing",
    "such as email (default all of the purpose's)": "例如 email(默认该用途的全部渠道)",
    "they agreed": "客户同意",
    "they refused": "客户拒绝或撤回",
    "on what ground (default consent)": "合法性基础(默认 consent,即同意)",
    "the words that were read": "当时向客户展示的文字",
    "their language": "文字的语言",
    "when it was said (default now)": "表示同意的时间(默认现在)",
    "how it came about": "缘由",
    "Enter tests of what marketing causes, and see which comes next.": (
        "录入增量实验,查看下一个该做哪个实验。"
    ),
    "List lift tests, the latest first.": "列出增量实验,最新的在前。",
    "Take a lift test back.": "撤回一个增量实验。",
    "Say which test would teach most.": "给出最值得做的下一个增量实验。",
    "standard error of the test to come, as a part of what it tests (default 0.15)": (
        "计划中实验的标准误,占被测增量的比例(默认 0.15)"
    ),
    "tests of campaigns as well": "也考虑单个营销活动的实验",
    "Enter what a lift test found, or replace it.": "录入增量实验的结果,同名则替换。",
    "what the test is called": "实验名称",
    "what was tested, as reports name it": "被测渠道,与报告中的名称一致",
    "the one campaign that was tested": "只测了某个营销活动时填写",
    "its first day": "实验第一天",
    "its last day": "实验最后一天",
    "what was held out: places (default), users, or times": (
        "对照方式:geo 按地区(默认)、user 按用户、time 按时段"
    ),
    "what the effect counts (default conversions)": "增量按什么计:转化数(默认)或成交金额",
    "conversions, or money, that it caused": "带来的增量(转化数或金额)",
    "the standard error of the effect": "增量的标准误",
    "instead: lower bound of 95 %%": "或填写 95%% 置信区间下限",
    "instead: upper bound of 95 %%": "或填写 95%% 置信区间上限",
    "instead: people reached, conversions": "或填写触达组「人数:转化数」",
    "people held out, conversions": "对照组「人数:转化数」",
    "how much of the channel the test saw, such as 0.4 (default 1)": (
        "实验覆盖该渠道的比例,如 0.4(默认 1)"
    ),
    "which conversions it counted (default the first goal)": "统计的转化目标(默认第一个)",
    "who enters it (default: who runs this)": "录入人(默认当前操作人)",
}

# What the parser of the standard library says by itself.
PARTS = {
    "usage: ": "用法:",
    "positional arguments:": "参数:",
    "options:": "选项:",
    "show this help message and exit": "显示本帮助并退出",
    "show program's version number and exit": "显示版本号并退出",
}
