"""What a definition may be told."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    "bad_time_zone": (
        "{name}: no such time zone. Use a name like Asia/Shanghai.",
        "没有时区 {name},请使用类似 Asia/Shanghai 的名称。",
    ),
    "bad_channel_rule": (
        "{rule} cannot be read: {why}. Correct it and apply the document again.",
        "渠道规则 {rule} 无法识别:{why}。请修改后重新应用。",
    ),
    "unknown_region": (
        "{value!r} is not a region. Use two letters of ISO 3166 such as CN or SG.",
        "{value!r} 不是有效的地区代码。请使用 ISO 3166 两位代码,如 CN、SG。",
    ),
    "bad_identity_rule": (
        "[identity] {key} {why}. Correct it and run touchline apply again.",
        "[identity] {key} 有误:{why}。请修改后重新运行 touchline apply。",
    ),
    "bad_profile": (
        "[profile]: {why}. Correct it and run touchline apply again.",
        "[profile] 有误:{why}。请修改后重新运行 touchline apply。",
    ),
    "bad_account_rule": (
        "[{kind}] {key} {why}. Correct it and run touchline apply again.",
        "[{kind}] {key} 有误:{why}。请修改后重新运行 touchline apply。",
    ),
    "bad_profile_table": (
        "[[{kind}]] {name}: {why}. Correct it and run touchline apply again.",
        "[[{kind}]] {name} 有误:{why}。请修改后重新运行 touchline apply。",
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
    "unknown_definition": (
        "{path}: unknown table {name}. Known: {known}.",
        "{path}:不认识 {name}。可用的有:{known}。",
    ),
    "bad_bots": (
        "[bots]: {why}. Give count = true or false, people and bots as lists of texts.",
        "[bots] 有误:{why}。count 应为 true 或 false,people、bots 应为文本列表。",
    ),
    "bad_site": (
        "[site]: {why}. Correct it; docs/reference/definitions.md has its keys.",
        "[site] 有误:{why}。请修改;可用的键见 docs/reference/definitions.md。",
    ),
    "bad_consent": (
        "[consent]: {why}. Correct it; docs/reference/definitions.md has its keys.",
        "[consent] 有误:{why}。请修改;可用的键见 docs/reference/definitions.md。",
    ),
    "bad_role": (
        "[[role]]: {why}. Correct it; docs/reference/definitions.md has the keys.",
        "[[role]] 有误:{why}。请修改;可用的键见 docs/reference/definitions.md。",
    ),
    "bad_register": (
        "[[{name}]]: {why}. Correct it; docs/reference/definitions.md has the keys.",
        "[[{name}]] 有误:{why}。请修改;可用的键见 docs/reference/definitions.md。",
    ),
    "bad_webhook": (
        "[[webhook]] {name}: {why}. Correct it; docs/guides/offline-touches.md has examples.",
        "[[webhook]] {name} 有误:{why}。请修改;示例见 docs/zh/offline-touches.md。",
    ),
    "bad_form": (
        "[[form]] {name}: {why}. Correct it; docs/guides/offline-touches.md has an example.",
        "[[form]] {name} 有误:{why}。请修改;示例见 docs/zh/offline-touches.md。",
    ),
    "bad_claim": (
        "[[{kind}]] number {number}: {why}. Correct it; docs/reference/definitions.md explains it.",
        "第 {number} 个 [[{kind}]] 有误:{why}。请修改;写法见 docs/zh/offline-touches.md。",
    ),
    "bad_naming": (
        "[naming]: {why}. Correct it and apply the document again.",
        "[naming] 有误:{why}。请修改后重新应用。",
    ),
    "bad_spend_final": (
        "[spend_final_after] {name}: {why}. Write a source and a number of days, 0 to 366.",
        "[spend_final_after] {name} 有误:{why}。请写数据源和天数(0 到 366)。",
    ),
    "bad_label_alias": (
        "[[alias]] {name}: {why}. Correct it and apply again.",
        "别名 [[alias]] {name} 有误:{why}。请更正后重新应用。",
    ),
    "bad_attribution": (
        "[attribution] {why}. Correct it and apply again.",
        "[attribution] 设置有误:{why}。请更正后重新应用。",
    ),
    "bad_schedule": (
        "{line!r} is no schedule: {why}. Write a cron line such as 15 6 * * *.",
        "{line!r} 不是有效的定时规则({why})。请使用 cron 格式,例如 15 6 * * *。",
    ),
    "bad_source": (
        "Source {name}: {why}. Correct the [[source]] table.",
        "数据源 {name} 有误:{why}。请修改 [[source]]。",
    ),
}
