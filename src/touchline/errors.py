"""Every error Touchline raises on purpose.

TouchlineError                what happened + what to do, under a stable code, in two languages
├── BadInput        exit 2    what was given cannot be used: a file, an argument, a request body
│   ├── NotFound              what was named does not exist
│   ├── Ambiguous             what was named is more than one thing: HTTP 409
│   └── Denied                the key is unknown
│       └── Forbidden         the key is known and may not do this: HTTP 403
└── Unavailable     exit 3    try again: locked, busy, disk full
    └── TooMany               you send more than you may: HTTP 429, `after` how many seconds

An error is raised by its code; the words stand in one table, so the
web app, the command line and the API say the same thing:

    raise BadInput("file_missing", path="orders.csv")
"""

from typing import Any, ClassVar

__all__ = [
    "MESSAGES",
    "Ambiguous",
    "BadInput",
    "Denied",
    "Forbidden",
    "NotFound",
    "TooMany",
    "TouchlineError",
    "Unavailable",
]

# code -> (English, Chinese). Each says what happened, then the remedy.
MESSAGES: dict[str, tuple[str, str]] = {
    "file_missing": (
        "{path}: no such file. Check the path.",
        "找不到文件 {path},请检查路径。",
    ),
    "file_unreadable": (
        "{path}: cannot be read as {format} ({reason}). Check it, or name its format in a map.",
        "文件 {path} 无法按 {format} 读取({reason})。请检查文件,或在映射文件里写明格式。",
    ),
    "file_empty": (
        "{path}: there is nothing in it. Check that the export finished.",
        "文件 {path} 是空的,请检查导出是否完成。",
    ),
    "file_too_large": (
        "{path}: its row groups are larger than 2 GB. Write it again with smaller ones.",
        "文件 {path} 的行组超过 2 GB,请以更小的行组重新导出。",
    ),
    "encoding_unknown": (
        "{path}: line {line} is neither UTF-8 nor GB18030. Save it as UTF-8, or map its encoding.",
        "文件 {path} 第 {line} 行不是 UTF-8 或 GB18030。请另存为 UTF-8,或在映射文件写明 encoding。",
    ),
    "too_many_columns": (
        "{path}: {found} columns, at most {limit}. Leave out those you do not need.",
        "文件 {path} 有 {found} 列,最多 {limit} 列。请去掉不需要的列。",
    ),
    "cell_too_large": (
        "{path}: a cell of column {column} is longer than {limit} characters. Shorten it.",
        "文件 {path} 的 {column} 列有单元格超过 {limit} 个字符,请缩短。",
    ),
    "sheet_too_large": (
        "{path}: too large to open as a workbook. Save the sheet as CSV and import that.",
        "工作簿 {path} 太大,无法打开。请把工作表另存为 CSV 后再导入。",
    ),
    "column_missing": (
        "{path}: no column for {field} of {kind}. It has: {columns}. Name one in a map: [columns].",
        "文件 {path} 缺少 {kind} 所需的 {field} 列,现有:{columns}。请在映射文件 [columns] 指定。",
    ),
    "map_unreadable": (
        "{path}: not a map ({why}). Write TOML with [columns], [constants] and [format].",
        "映射文件 {path} 无法读取({why})。请用 TOML 写 [columns]、[constants]、[format]。",
    ),
    "map_wrong": (
        "{path}: {key} {why}.",
        "映射文件 {path}:{key} 有误({why})。",
    ),
    "map_no_column": (
        "{path}: [columns] {field}: no column {column!r} in the file. It has: {columns}.",
        "映射文件 {path} 的 [columns] {field} 指定了 {column!r},但文件只有:{columns}。请更正列名。",
    ),
    "map_no_header": (
        "{path}: row {row} is no header row. Correct [format] header in the map.",
        "文件 {path} 第 {row} 行不是表头。请更正映射文件的 [format] header。",
    ),
    "map_no_sheet": (
        "{path}: no sheet {sheet!r}; it has: {sheets}. Correct [format] sheet in the map.",
        "工作簿 {path} 没有工作表 {sheet!r},现有:{sheets}。请更正映射文件的 [format] sheet。",
    ),
    "map_bad_encoding": (
        "{value!r} is no encoding. Use one like utf-8, gb18030 or big5 in [format] encoding.",
        "没有编码 {value!r}。请在 [format] encoding 里使用 utf-8、gb18030、big5 等。",
    ),
    "not_a_workspace": (
        "{path}: not a Touchline workspace. Create one with: touchline init {path}",
        "{path} 不是 Touchline 工作区。请先运行:touchline init {path}",
    ),
    "workspace_exists": (
        "{path}: already a workspace. Use it as it is, or choose another folder.",
        "{path} 已经是工作区,可直接使用,或换一个文件夹。",
    ),
    "workspace_newer": (
        "{path}: made by a newer Touchline (format {found}, known here: {known}). Upgrade.",
        "{path} 由更新版本的 Touchline 创建(格式 {found},当前支持 {known})。请升级 Touchline。",
    ),
    "workspace_locked": (
        "{path}: another process is writing to it. Try again when it has finished.",
        "{path} 正被另一个进程写入,请等它完成后再试。",
    ),
    "disk_full": (
        "{path}: no space left on the disk. Free some space and try again; nothing was lost.",
        "{path} 所在磁盘已满。请清理空间后重试,已有数据没有丢失。",
    ),
    "memory_full": (
        "This needs more memory than {limit}. Ask for fewer days, or raise memory_limit.",
        "所需内存超过上限 {limit}。请缩短日期范围,或调高 memory_limit 设置。",
    ),
    "bad_argument": (
        "{name}: {value!r} {why}",
        "参数 {name}:{value!r} {why}",
    ),
    "log_failed": (
        "{path}: the disk refused to write ({why}). Check the disk; send again, nothing was lost.",
        "{path} 写入磁盘失败({why})。请检查磁盘后重新发送,已确认的数据没有丢失。",
    ),
    "log_closed": (
        "The server is stopping. Send again in a moment.",
        "服务正在停止,请稍后重新发送。",
    ),
    "already_served": (
        "{path}: a server is already running on it. Use that one, or stop it first.",
        "{path} 已有服务在运行。请直接使用,或先停止它。",
    ),
    "not_stored": (
        "Not stored: the server cannot write at the moment. Send it again after Retry-After.",
        "暂时无法写入,本次数据未保存。请在 Retry-After 秒后重发。",
    ),
    "busy": (
        "Too much is being received at once. Send again in a moment.",
        "当前接收的数据过多,请稍后重发。",
    ),
    "too_slow": (
        "The request took too long to arrive. Send it again, or in smaller parts.",
        "请求上传太慢,已超时。请重发,或分成更小的批次。",
    ),
    "method_not_allowed": (
        "This address takes POST only. Send the event as a POST request.",
        "该地址只接受 POST 请求,请用 POST 发送。",
    ),
    "worker_away": (
        "The process that answers questions is not there; it is being restarted. Ask again soon.",
        "负责查询的进程暂时不可用,正在重启,请稍后再试。",
    ),
    "internal_error": (
        "An error inside Touchline; the server's output has the details. Please report it.",
        "Touchline 内部出错,详情见服务输出,请反馈给我们。",
    ),
    "process_failed": (
        "The {name} process cannot start (exit code {status}). Its output above says why.",
        "{name} 进程无法启动(退出码 {status}),原因见上面的输出。",
    ),
    "port_in_use": (
        "{host}:{port}: already in use. Stop what runs there, or choose another --port.",
        "{host}:{port} 已被占用。请停止占用的程序,或用 --port 换一个端口。",
    ),
    "address_unusable": (
        "{host}:{port}: cannot listen there ({why}). Choose another --host or --port.",
        "无法监听 {host}:{port}({why})。请用 --host 或 --port 换一个地址。",
    ),
    "one_workspace": (
        "A server takes one workspace for now. Start another server for {path}.",
        "目前一个服务只能使用一个工作区。请为 {path} 另启动一个服务。",
    ),
    "wrong_admin_key": (
        "The admin key is missing or unknown. Send it as: Authorization: Bearer KEY.",
        "缺少管理密钥或密钥无效。请用 Authorization: Bearer KEY 发送。",
    ),
    "other_method": (
        "This address takes {allowed} only. The list of addresses is at /docs.",
        "该地址只接受 {allowed} 请求。可用地址见 /docs。",
    ),
    "no_such_address": (
        "{path}: no such address. The list of addresses is at /docs.",
        "没有地址 {path}。可用地址见 /docs。",
    ),
    "demo_folder_taken": (
        "{path}: holds other files. Name an empty folder for the demo data.",
        "{path} 里已有其他文件。请为演示数据指定一个空文件夹。",
    ),
    "no_open_redirect": (
        "Redirects to an address in the query are not followed. Use a short link instead.",
        "不支持跳转到查询参数里的任意网址。请改用短链接。",
    ),
    "unreadable_body": (
        "The request body cannot be read: {why}. Send JSON, plain or gzip.",
        "请求内容无法解析:{why}。请发送 JSON(可用 gzip 压缩)。",
    ),
    "bad_settings": (
        "{path}: {why}. Correct this setting or remove it.",
        "{path}:{why}。请改正或删除该设置。",
    ),
    "bad_tracker_path": (
        "tracker_path {path} is no place for a script. Write a path that ends in .js, as /t.js.",
        "tracker_path {path} 不能用来提供埋点脚本。请填写以 .js 结尾的路径,例如 /t.js。",
    ),
    "wrong_secrets": (
        "Stored values cannot be opened with these secrets. Put back the workspace's own secrets.",
        "当前密钥无法解开已存数据,请恢复该工作区原来的 secrets 文件夹。",
    ),
    "secrets_missing": (
        "{path}: missing or damaged. Restore it from your backup; nothing can replace it.",
        "{path} 缺失或已损坏,请从备份恢复;该文件无法重新生成。",
    ),
    "folder_unusable": (
        "{path}: cannot be used ({why}). Choose a folder you may write to.",
        "无法使用文件夹 {path}({why}),请换一个可写的文件夹。",
    ),
    "bad_time_zone": (
        "{name}: no such time zone. Use a name like Asia/Shanghai.",
        "没有时区 {name},请使用类似 Asia/Shanghai 的名称。",
    ),
    "body_too_large": (
        "The request is larger than {limit} bytes or 10,000 events. Send it in smaller batches.",
        "请求超过 {limit} 字节或 10,000 条事件。请分成更小的批次发送。",
    ),
    "bad_channel_rule": (
        "{rule} cannot be read: {why}. Correct it and apply the document again.",
        "渠道规则 {rule} 无法识别:{why}。请修改后重新应用。",
    ),
    "unknown_region": (
        "{value!r} is not a region. Use two letters of ISO 3166 such as CN or SG.",
        "{value!r} 不是有效的地区代码。请使用 ISO 3166 两位代码,如 CN、SG。",
    ),
    "unknown_currency": (
        "{value!r} is not a currency. Use an ISO 4217 code such as CNY or USD.",
        "{value!r} 不是有效币种。请使用 ISO 4217 代码,如 CNY、USD。",
    ),
    "bad_amount": (
        "{value!r} is not an amount of money. Write it in major units, such as 1234.50.",
        "{value!r} 不是有效金额。请以元等主单位填写,如 1234.50。",
    ),
    "person_unknown": (
        "Nobody is known as {name}. Give a person_id, or an identifier such as email:ann@shop.cn.",
        "没有找到客户 {name}。请填写 person_id,或 email:ann@shop.cn 这样的客户标识。",
    ),
    "person_ambiguous": (
        "{name} is more than one person. Say which you mean: {choices}.",
        "{name} 对应多位客户,请指明是哪一位:{choices}。",
    ),
    "bad_identity_rule": (
        "[identity] {key} {why}. Correct it and run touchline apply again.",
        "[identity] {key} 有误:{why}。请修改后重新运行 touchline apply。",
    ),
    "unknown_model": (
        "{model!r} is not an attribution model. Choose from: {known}, or all.",
        "没有名为 {model!r} 的归因模型。可选:{known},或 all(全部)。",
    ),
    "model_needs_times": (
        "{model} needs the time of each touch, which paths do not have. Leave it out.",
        "模型 {model} 需要每个触点的时间,而路径文件没有时间。请去掉该模型。",
    ),
    "too_many_channels": (
        "{model} takes at most {limit} channels, not {found}. Group channels, or use shapley.",
        "模型 {model} 最多支持 {limit} 个渠道,当前有 {found} 个。请合并渠道,或改用 shapley。",
    ),
    "bad_half_life": (
        "A half-life of {days} days cannot be used. Give a number of days above 0, such as 7.",
        "半衰期 {days} 天无效。请填写大于 0 的天数,例如 7。",
    ),
    "bad_goal": (
        "Goal {name}: {why}. Correct the [[goal]] table.",
        "转化目标 {name} 有误:{why}。请修改 [[goal]]。",
    ),
    "bad_plan": (
        "Tracking plan, {name}: {why}. Correct it.",
        "埋点方案 {name} 有误:{why}。请修改。",
    ),
    "plan_exists": (
        "There is a tracking plan already. Print this one with --print and merge the two by hand.",
        "已有埋点方案。请用 --print 输出该模板,再手动合并。",
    ),
    "unknown_template": (
        "There is no template {name}. Known: {known}.",
        "没有名为 {name} 的模板。可用的有:{known}。",
    ),
    "unknown_goal": (
        "There is no goal {name}. Known: {known}.",
        "没有名为 {name} 的转化目标。现有目标:{known}。",
    ),
    "unknown_definition": (
        "{path}: unknown table {name}. Known: {known}.",
        "{path}:不认识 {name}。可用的有:{known}。",
    ),
    "bad_bots": (
        "[bots]: {why}. Give count = true or false, people and bots as lists of texts.",
        "[bots] 有误:{why}。count 应为 true 或 false,people、bots 应为文本列表。",
    ),
    "bad_site": (
        "[site]: {why}. Give lists of texts: own_hosts, payment_hosts.",
        "[site] 有误:{why}。own_hosts、payment_hosts 应为文本列表。",
    ),
    "bad_webhook": (
        "[[webhook]] {name}: {why}. Correct it; docs/guides/offline-touches.md has examples.",
        "[[webhook]] {name} 有误:{why}。请修改;示例见 docs/zh/offline-touches.md。",
    ),
    "bad_form": (
        "[[form]] {name}: {why}. Correct it; docs/guides/offline-touches.md has an example.",
        "[[form]] {name} 有误:{why}。请修改;示例见 docs/zh/offline-touches.md。",
    ),
    "no_such_form": (
        "There is no form {name!r}. Write a [[form]] and put it in force: touchline apply",
        "没有名为 {name!r} 的表单。请用 [[form]] 定义,再运行 touchline apply 使其生效。",
    ),
    "bad_claim": (
        "[[{kind}]] number {number}: {why}. Correct it; docs/reference/definitions.md explains it.",
        "第 {number} 个 [[{kind}]] 有误:{why}。请修改;写法见 docs/zh/offline-touches.md。",
    ),
    "no_such_webhook": (
        "There is no webhook {name!r}. Write a [[webhook]] and put it in force: touchline apply",
        "没有名为 {name!r} 的 webhook。请用 [[webhook]] 定义,再运行 touchline apply 使其生效。",
    ),
    "wrong_webhook_secret": (
        "Webhook {name}: the secret is missing or wrong. Send it as the definition says.",
        "webhook {name}:缺少密钥或密钥错误。请按定义中的方式发送。",
    ),
    "job_failed": (
        "The job {kind} failed: {why}. Please report this; nothing was lost.",
        "任务 {kind} 执行失败:{why}。数据没有丢失,请将此信息反馈给我们。",
    ),
    "paths_columns_missing": (
        "{path}: its first line lacks {missing}. Add them, filled with 0 where there is nothing.",
        "{path}:首行缺少列 {missing}。请补上这些列,没有数据就填 0。",
    ),
    "paths_wrong_width": (
        "{path}, line {line}: {found} fields, not {expected}. Quote a path that holds a separator.",
        "{path} 第 {line} 行:有 {found} 个字段,首行是 {expected} 个。路径里含分隔符时请加引号。",
    ),
    "paths_bad_number": (
        "{path}, line {line}: {column} is {value!r}. Write a number, 0 if there is none.",
        "{path} 第 {line} 行:{column} 的值是 {value!r}。请填写数字,没有就填 0。",
    ),
    "paths_negative_count": (
        "{path}, line {line}: {column} is {value}. Give a count of 0 or more.",
        "{path} 第 {line} 行:{column} 的值是 {value}。次数不能为负,请改正。",
    ),
    "paths_value_alone": (
        "{path}, line {line}: value {value} without a conversion. Set the value to 0, or count it.",
        "{path} 第 {line} 行:没有转化却有金额 {value}。请填写转化数,或把金额改为 0。",
    ),
    "paths_empty_step": (
        "{path}, line {line}: a step of {value!r} has no name. Write paths as: a > b.",
        "{path} 第 {line} 行:路径 {value!r} 中有一步没有名称。请写成:a > b。",
    ),
    "demo_not_served": (
        "The demo's server did not come up on port {port}. Choose another one with --port.",
        "演示服务无法在端口 {port} 启动,请用 --port 换一个端口。",
    ),
    "demo_refused": (
        "The demo's own data was refused ({status}): {why}. Please report this.",
        "演示数据被拒绝({status}):{why}。请将此信息反馈给我们。",
    ),
    "no_shown_key": (
        "This write key is not known in clear (known: {sources}). Give it with --key.",
        "这里没有保存该写入密钥的明文(已保存:{sources})。请用 --key 给出。",
    ),
    "bad_url": (
        "{url}: no link may lead there. Write a whole http:// or https:// address.",
        "{url} 不能作为链接地址。请填写完整的 http:// 或 https:// 网址。",
    ),
    "labels_differ": (
        "The address says {name}={linked}, the link {own}. Say it once, or the same twice.",
        "网址中的 {name}={linked} 与链接的 {own} 不一致。请只写一处,或写成一样。",
    ),
    "bad_code": (
        "{name} is no code. Use 2 to 64 letters, digits, - and _, a letter or digit first.",
        "{name} 不能用作短链代码。请用 2–64 位字母、数字、- 或 _,并以字母或数字开头。",
    ),
    "code_taken": (
        "The code {name} leads to {target} with other labels. Choose another code.",
        "短链代码 {name} 已被占用(指向 {target} 或标签不同)。请换一个代码。",
    ),
    "no_such_link": (
        "There is no link {name}. See touchline links list DIR.",
        "没有短链 {name}。请用 touchline links list DIR 查看。",
    ),
    "bad_person": (
        "{value!r} names nobody. Write type:value, such as email:ann@shop.cn. Types: {known}.",
        "{value!r} 不是有效的客户标识。请写成“类型:值”,如 email:ann@shop.cn。类型:{known}。",
    ),
    "no_public_url": (
        "Where visitors reach this server is not known. Give --host, or set public_url.",
        "不知道访客访问本服务的网址。请用 --host 指定,或设置 public_url。",
    ),
    "bad_naming": (
        "[naming]: {why}. Correct it and apply the document again.",
        "[naming] 有误:{why}。请修改后重新应用。",
    ),
    "naming": (
        "Against the naming rules: {en}. Correct the names.",
        "不符合命名规则:{zh}。请修改。",
    ),
    "qr_too_long": (
        "The address is too long for a QR code. Use a short link.",
        "网址太长,无法生成二维码。请改用短链。",
    ),
    "no_font": (
        "No font here draws {text!r}. Install one (fonts-noto-cjk), give --font, or take SVG.",
        "没有可显示 {text!r} 的字体。请安装 fonts-noto-cjk、用 --font 指定字体,或改用 SVG。",
    ),
    "needs_pillow": (
        "A label on a PNG needs Pillow. Install it: pip install 'touchline[qr]', or take SVG.",
        "PNG 上的文字需要 Pillow。请运行 pip install 'touchline[qr]',或改用 SVG。",
    ),
    "unknown_key": (
        "This write key is unknown. Send one that touchline keys list DIR shows, or its alias.",
        "写入密钥无效。请使用 touchline keys list DIR 列出的密钥或其别名。",
    ),
    "out_of_scope": (
        "This admin key may not do this: it needs the scope {scope}. Use another key.",
        "该管理密钥没有 {scope} 权限,请换用有此权限的密钥。",
    ),
    "key_taken": (
        "This key is in use as a {kind} key of {name}. Choose another value.",
        "该密钥已被占用({kind},{name})。请换一个值。",
    ),
    "key_revoked": (
        "This key was revoked and stays so. Choose another value.",
        "该密钥已吊销,不能再次启用。请换一个值。",
    ),
    "no_such_key": (
        "No key in force is {key}. Name one as touchline keys list DIR shows it.",
        "没有生效中的密钥 {key}。请按 touchline keys list DIR 显示的编号填写。",
    ),
    "several_keys": (
        "{key} names several keys: {ids}. Give the id of one.",
        "{key} 对应多个密钥:{ids}。请填写其中一个的编号。",
    ),
    "alias_taken": (
        "The alias {alias} belongs to the key of {name}. Revoke that key first.",
        "别名 {alias} 已属于 {name} 的密钥。请先吊销该密钥。",
    ),
    "spend_provisional": (
        "Spend of {first} to {last} may still change: {cost} ({channels}). Import it again later.",
        "{first} 至 {last} 的费用仍可能调整:{cost}({channels})。请稍后重新导入。",
    ),
    "aggregates_covered": (
        "Costs of aggregates are left out where cost files speak of the same: {channels}.",
        "汇总触点的费用已有费用表记录,未重复计入:{channels}。",
    ),
    "bad_spend_final": (
        "[spend_final_after] {name}: {why}. Write a source and a number of days, 0 to 366.",
        "[spend_final_after] {name} 有误:{why}。请写数据源和天数(0 到 366)。",
    ),
    "bad_label_alias": (
        "[[alias]] {name}: {why}. Correct it and apply again.",
        "别名 [[alias]] {name} 有误:{why}。请更正后重新应用。",
    ),
    "bad_alias": (
        "{alias}: no alias. Write PROTOCOL:SITE, such as matomo:1. Protocols: {known}.",
        "{alias} 不是有效的别名。请写成“协议:站点”,如 matomo:1。可用协议:{known}。",
    ),
    "no_such_reject": (
        "No reject has the id {id}. Take reject_id from touchline rejects list DIR --format json.",
        "没有编号为 {id} 的异常数据。请使用 touchline rejects list DIR 显示的编号。",
    ),
    "no_such_job": (
        "There is no job {number}. Take the number that the answer to your request gave.",
        "没有编号为 {number} 的任务。请使用提交时返回的编号。",
    ),
    "address_refused": (
        "{host} is a private address. List it as reach in settings.toml if it is meant.",
        "{host} 是内网地址。如确需访问,请在 settings.toml 的 reach 中列出。",
    ),
    "answer_too_large": (
        "{host}: its answer is larger than {limit} bytes. Ask for smaller pages.",
        "{host} 返回的内容超过 {limit} 字节。请减小每页条数。",
    ),
    "no_web_address": (
        "{url}: no web address. Write https://host/path, without a password in it.",
        "{url} 不是有效网址。请写成 https://主机/路径,且不要包含密码。",
    ),
    "plain_http": (
        "{host}: http sends credentials in clear. Use https, or list the host as reach.",
        "{host}:http 会明文传输凭证。请改用 https,或在 settings.toml 的 reach 中列出该主机。",
    ),
    "too_many_redirects": (
        "{host}: it redirects again and again. Correct the address.",
        "{host} 不断重定向,请检查网址。",
    ),
    "host_away": (
        "{host}: no answer ({why}). It is tried again later; check the address.",
        "{host} 没有响应({why})。稍后会重试,也请检查地址。",
    ),
    "folder_refused": (
        "{path}: not among the folders that may be read. List it as reach in settings.toml.",
        "不允许读取 {path}。请在 settings.toml 的 reach 中列出该文件夹。",
    ),
    "extra_missing": (
        "A part is not installed: {extra}. Install it with: pip install 'touchline[{extra}]'",
        "缺少组件 {extra}。请运行:pip install 'touchline[{extra}]'",
    ),
    "bad_schedule": (
        "{line!r} is no schedule: {why}. Write a cron line such as 15 6 * * *.",
        "{line!r} 不是有效的定时规则({why})。请使用 cron 格式,例如 15 6 * * *。",
    ),
    "bad_source": (
        "Source {name}: {why}. Correct the [[source]] table.",
        "数据源 {name} 有误:{why}。请修改 [[source]]。",
    ),
    "no_such_source": (
        "There is no source {name}. Known: {known}.",
        "没有名为 {name} 的数据源。现有:{known}。",
    ),
    "source_secret_in_clear": (
        "Source {name}: {key} is in clear. Write secret:NAME or env:TOUCHLINE_SOURCE_NAME.",
        "数据源 {name} 的 {key} 是明文。请改写为 secret:名称 或 env:TOUCHLINE_SOURCE_名称。",
    ),
    "source_secret_missing": (
        "{reference} has no value. Give it: touchline source add DIR FILE --secret NAME",
        "{reference} 没有值。请用 touchline source add DIR FILE --secret 名称 提供。",
    ),
    "source_away": (
        "Source {name} does not answer ({why}). It is tried again later.",
        "数据源 {name} 没有响应({why})。稍后会自动重试。",
    ),
    "source_denied": (
        "Source {name} refused the credentials ({why}). Renew its secret with source add.",
        "数据源 {name} 拒绝了凭证({why})。请用 source add 更新凭证。",
    ),
    "source_refused": (
        "Source {name} refused the request (HTTP {status}: {why}). Correct its endpoint.",
        "数据源 {name} 拒绝了请求(HTTP {status}:{why})。请修改 endpoint。",
    ),
    "source_not_json": (
        "Source {name} answered with something that is no JSON. Check base_url and path.",
        "数据源 {name} 返回的不是 JSON。请检查 base_url 和 path。",
    ),
    "source_no_rows": (
        "Source {name}: its answer holds no rows. Name where they are: endpoint.data_selector.",
        "数据源 {name} 的返回内容里没有数据行。请用 endpoint.data_selector 指明位置。",
    ),
    "source_no_table": (
        "Source {name}: there is no table {table}. Correct its name or schema.",
        "数据源 {name} 中没有表 {table}。请检查表名或 schema。",
    ),
    "source_no_column": (
        "Source {name}: no column {column}. It has: {columns}. Correct its cursor.",
        "数据源 {name} 没有 {column} 列,现有:{columns}。请修改 cursor。",
    ),
    "source_too_long": (
        "Source {name}: more than {limit} rows at once. Give it a cursor, or smaller slices.",
        "数据源 {name} 一次超过 {limit} 行。请设置 cursor 或缩短 slice_days。",
    ),
    "source_failed": (
        "Source {name} could not be pulled: {why}. Check its definition.",
        "数据源 {name} 拉取失败:{why}。请检查其定义。",
    ),
    "run_interrupted": (
        "The run was interrupted; the next one goes on where it stopped.",
        "本次运行被中断,下次会从断点继续。",
    ),
    "job_cancelled": (
        "The job {number} was cancelled. What it had stored stays.",
        "任务 {number} 已取消,已入库的数据保留。",
    ),
    "replay_what": (
        "Nothing was chosen to be replayed. Name ids, a reason or a source, or say all.",
        "没有选择要重放的数据。请指定编号、原因或数据源,或选择全部(all)。",
    ),
    "too_many_requests": (
        "This write key sends more than it may. Send again after {after} s (Retry-After).",
        "该写入密钥发送过于频繁,请在 {after} 秒后(Retry-After)重发。",
    ),
}


class TouchlineError(Exception):
    """Base of all deliberate errors. `code` is stable; `params` fill the message's blanks."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params = params
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The message in one language: "en" or "zh"."""
        en, zh = MESSAGES[self.code]
        return (zh if language == "zh" else en).format(**self.params)


class BadInput(TouchlineError):
    exit_code = 2


class NotFound(BadInput):
    pass


class Ambiguous(BadInput):
    pass


class Denied(BadInput):
    pass


class Forbidden(Denied):
    pass


class Unavailable(TouchlineError):
    exit_code = 3


class TooMany(Unavailable):
    pass
