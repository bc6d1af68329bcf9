"""What who asks for numbers or people may be told."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    "changes_gone": (
        (
            "Changes behind {after} are no longer kept. Look at all persons again, then go on"
            " with after={first}."
        ),
        "编号 {after} 之后的部分变更已过保留期。请重新读取全部客户,再从 after={first} 继续。",
    ),
    "model_not_additive": (
        (
            "{model} looks at all journeys at once, so days of it do not add up. "
            "Ask for it in a report, or give it a fixed half-life."
        ),
        "{model} 需要一次看全部旅程,不能按天累加。请在报表中使用,或指定固定的半衰期。",
    ),
    "frame_needed": (
        (
            "{what}: a data frame is needed, not {found}. pandas, Polars, Arrow and all that has "
            "__arrow_c_stream__ will do."
        ),
        "{what} 需要数据框,而不是 {found}。支持 __arrow_c_stream__ 的均可(pandas、Polars 等)。",
    ),
    "frame_columns_missing": (
        "{what}: no column {missing}. Rename the columns of the frame.",
        "{what} 缺少列 {missing},请给数据框的列改名。",
    ),
    "frame_by": (
        "by = {by}: the first is to be channel, others follow it.",
        "by = {by}:第一个必须是 channel,其余跟在后面。",
    ),
    "frame_column": (
        "Column {column} cannot be used: {why}. Convert it in the frame.",
        "列 {column} 无法使用:{why}。请先在数据框中转换类型。",
    ),
    "frame_times": (
        "{what}: occurred_at holds {found}. Convert it to timestamps, or to epoch microseconds.",
        "{what} 的 occurred_at 是 {found} 类型,请转换为时间戳或微秒整数。",
    ),
    "frame_values": (
        "{what}: row {row} has no usable {column}. Fill it in or leave the row out (rows from 0).",
        "{what} 第 {row} 行的 {column} 无法使用(行号从 0 开始),请补全或去掉该行。",
    ),
    "frame_paths": (
        (
            "A path has an empty step among others, a count is below zero, or money stands without"
            " a conversion. The columns are path, total_conversions, total_conversion_value,"
            " total_null."
        ),
        (
            "路径中有空步骤、计数为负,或有金额而没有转化。所需的列是 path、total_conversions、"
            "total_conversion_value、total_null。"
        ),
    ),
    "memory_full": (
        "This needs more memory than {limit}. Ask for fewer days, or raise memory_limit.",
        "所需内存超过上限 {limit}。请缩短日期范围,或调高 memory_limit 设置。",
    ),
    "bad_argument": (
        "{name}: {value!r} {why}",
        "参数 {name}:{value!r} {why}",
    ),
    "other_method": (
        "This address takes {allowed} only. The list of addresses is at /docs.",
        "该地址只接受 {allowed} 请求。可用地址见 /docs。",
    ),
    "no_such_address": (
        "{path}: no such address. The list of addresses is at /docs.",
        "没有地址 {path}。可用地址见 /docs。",
    ),
    "person_unknown": (
        "Nobody is known as {name}. Give a person_id, or an identifier such as email:ann@shop.cn.",
        "没有找到客户 {name}。请填写 person_id,或 email:ann@shop.cn 这样的客户标识。",
    ),
    "account_unknown": (
        "No account is called {name}. Give an account_id of your rows, or a company's domain.",
        "没有找到企业 {name}。请填写数据中的 account_id,或企业邮箱域名。",
    ),
    "person_erased": (
        (
            "This person asked to be erased; their identifiers stay out. To take them in again: "
            "touchline people readmit."
        ),
        "该客户已要求删除个人信息,其标识不再接收。如客户重新同意,可执行 touchline people readmit。",
    ),
    "erasure_unknown": (
        "There is no erasure {name}. `touchline people erasures DIR` lists them.",
        "没有编号为 {name} 的删除请求,可用 touchline people erasures DIR 查看。",
    ),
    "erasure_open": (
        (
            "{name} is still being erased (request {request}), and what came in now would go as "
            "well. Bring that to its end first: touchline people erase DIR --request {request}"
        ),
        (
            "{name} 的删除请求 {request} 尚未完成,此时恢复接收,新数据也会被删除。请先完成该请求:"
            "touchline people erase DIR --request {request}"
        ),
    ),
    "reason_names_person": (
        (
            "The reason holds an identifier of the person, and would stay when they are erased. "
            "Leave it out, and name the ticket or letter instead."
        ),
        "原因中包含该客户的标识,删除后仍会留存。请改写为工单号或函件编号等。",
    ),
    "not_a_receipt": (
        "{path} is no receipt of an erasure: {why}",
        "{path} 不是删除凭证:{why}",
    ),
    "person_ambiguous": (
        "{name} is more than one person. Say which you mean: {choices}.",
        "{name} 对应多位客户,请指明是哪一位:{choices}。",
    ),
    "same_value": (
        "{a} and {b} are the same value. Name two different ones.",
        "{a} 和 {b} 是同一个标识,请填写两个不同的标识。",
    ),
    "already_one_person": (
        "{a} and {b} are one person already. There is nothing to merge.",
        "{a} 和 {b} 已经是同一位客户,无需合并。",
    ),
    "not_one_person": (
        "{a} and {b} are not one person. There is nothing to take apart.",
        "{a} 和 {b} 不是同一位客户,无需拆分。",
    ),
    "joined_by_hand": (
        "{a} and {b} are joined by decision {number}, a merge by hand. Undo it first.",
        "{a} 和 {b} 由人工合并(决定 {number})相连。请先撤销该决定。",
    ),
    "value_held_back": (
        "{name} is held back and joins nobody. Unblock it first, or name another value.",
        "{name} 是存疑标识,不参与客户合并。请先解除(unblock),或换一个标识。",
    ),
    "merge_over_limit": (
        "{a} and {b} cannot be one person: the limit is {limit} {type}. See identity rules.",
        "{a} 和 {b} 不能合并:{type} 的上限为 {limit} 个。规则见 identity rules。",
    ),
    "merge_set_apart": (
        "{a} and {b} cannot be one person: a decision keeps them apart. See identity decisions.",
        "{a} 和 {b} 不能合并:此前有人工决定将其分开。请先撤销该决定(见 identity decisions)。",
    ),
    "may_not_be_linked": (
        "{a} and {b} cannot be one person: a customer has refused to be linked. Ask for consent.",
        "{a} 和 {b} 不能合并:客户不同意关联其标识。请先取得同意。",
    ),
    "already_blocked": (
        "{name} is blocked already. Take it back with unblock or undo.",
        "{name} 已被人工屏蔽。如需恢复,请用 unblock 或 undo。",
    ),
    "not_held_back": (
        "{name} is not held back. There is nothing to unblock.",
        "{name} 不是存疑标识,无需解除。",
    ),
    "no_such_decision": (
        "There is no decision {number}. identity decisions lists those there are.",
        "没有编号为 {number} 的决定。现有决定见 identity decisions。",
    ),
    "decision_not_in_force": (
        "Decision {number} is not in force: undone, or replaced by a later one.",
        "决定 {number} 目前无效:已被撤销,或被之后的决定取代。",
    ),
    "conversion_unknown": (
        "No conversion is called {name}. Give an order_id or conversion_id of your rows.",
        "没有编号为 {name} 的转化,请填写数据中的 order_id 或 conversion_id。",
    ),
    "conversion_uncounted": (
        (
            "{name} is known (stage {stage}), but the goal {goal} does not count it: by its stage,"
            " the days asked for, or for want of an exchange rate. Ask by another goal."
        ),
        (
            "已找到 {name}(阶段 {stage}),但转化目标 {goal} 未计入:可能因阶段、所选日期或缺少汇率。"
            "请换一个转化目标查询。"
        ),
    ),
    "bad_counts": (
        "{name}[{at}] is {value}: counts are 0 to 2^53, and money is of a conversion.",
        "{name}[{at}] 为 {value}:数量须在 0 到 2^53 之间,金额必须是有效数字且有对应的转化。",
    ),
    "spend_twice": (
        (
            "Spend of {cost} stands in two imports ({sources}) with equal amounts: {channels}. It"
            " counts twice. If it is the same money, import it under one --source."
        ),
        (
            "{cost} 的费用在两次不同来源的导入({sources})中金额完全相同:{channels},目前计了两次。"
            "如果是同一笔费用,请用同一个 --source 导入。"
        ),
    ),
    "labels_rebuilt": (
        (
            "touchline rebuild read all history again on {day}, after this report, by other channel"
            " rules than its rows came in under: its channels are of those rules."
        ),
        (
            "{day} 的 touchline rebuild 已按新的渠道规则(与数据入库时不同)重新归类全部历史,"
            "本报表的渠道以新规则为准。"
        ),
    ),
    "partner_unread": (
        "{count} deals name a partner, but no share from 0 to 1 or in percent: they count whole.",
        "有 {count} 个成交写了合作伙伴,但分成比例无法识别(应为 0–1 或百分比),按无分成计算。",
    ),
    "unknown_model": (
        "{model!r} is not an attribution model. Choose from: {known}, or all.",
        "没有名为 {model!r} 的归因模型。可选:{known},或 all(全部)。",
    ),
    "model_needs_times": (
        "{model} needs the time of each touch, which paths do not have. Leave it out.",
        "模型 {model} 需要每个触点的时间,而路径文件没有时间。请去掉该模型。",
    ),
    "model_needs_stages": (
        "{model} needs the times of a deal's stages. Import stages, or leave the model out.",
        "模型 {model} 需要各阶段(线索、商机)的时间。请先导入阶段数据,或去掉该模型。",
    ),
    "model_needs_observed": (
        "{model} needs everybody's exposures over time, which paths do not have. Leave it out.",
        "模型 {model} 需要每个人随时间的触达记录,而路径数据没有。请去掉该模型。",
    ),
    "few_conversions": (
        "Only {count} conversions: under {least}, every figure may be off by half or more.",
        "只有 {count} 个转化。少于 {least} 个时,每个数字都可能偏差一半以上。",
    ),
    "one_channel": (
        "All touches are of {channel}, so there is nothing to share out between channels.",
        "所有触点都属于 {channel},没有可以在渠道之间分配的内容。",
    ),
    "no_failures": (
        (
            "No journey without a conversion is known, so nothing says what a channel changes:"
            " rules hold, Markov and Shapley by rate tell little. Import the touches of those who"
            " did not buy, too."
        ),
        (
            "没有未转化的路径,无法判断渠道带来了什么变化:规则模型仍可用,马尔可夫与 Shapley"
            " 转化率模型参考价值很低。请同时导入未购买人群的触点。"
        ),
    ),
    "no_contrast": (
        (
            "Which channels a journey has does not tell whether it converts (rates differ this much"
            " by chance in {chance} of cases): credit shows how present a channel is, not what it"
            " does."
        ),
        (
            "从路径包含哪些渠道看不出是否转化(仅凭偶然,有 {chance} 的可能出现同样的差异):"
            "归因结果只反映渠道出现的多少,不反映渠道的作用。"
        ),
    ),
    "channels_together": (
        (
            "{a} and {b} are in the same journeys ({share}): how they share their credit is a"
            " habit of the model. Join them, or run one without the other for a while."
        ),
        (
            "{a} 与 {b} 几乎总在同一路径中出现({share}),两者之间的分配只取决于模型的约定。"
            "请合并这两个渠道,或在一段时间内只投放其中一个。"
        ),
    ),
    "channels_rare": (
        "In fewer than {least} conversions: {channels}. Their figures say little by themselves.",
        "参与转化不足 {least} 个的渠道:{channels}。这些数字单独看意义不大。",
    ),
    "model_needs_lift": (
        "{model} needs a lift test. Add one with touchline lift add, or leave the model out.",
        "模型 {model} 需要增量实验的结果。请用 touchline lift add 录入,或去掉该模型。",
    ),
    "model_needs_weights": (
        "{model} needs weights, such as first=0.5,last=0.5. Give them or leave it out.",
        "模型 {model} 需要权重,例如 first=0.5,last=0.5。请填写权重,或去掉该模型。",
    ),
    "unknown_world": (
        "{name!r} is no world of the proving ground. Choose from: {known}; or own, or all.",
        "没有名为 {name!r} 的模拟世界。可选:{known},或 own(自有)、all(全部)。",
    ),
    "no_peers": (
        "The generators of others are not in {folder}. Run make peers, or set TOUCHLINE_PEERS.",
        "{folder} 里没有第三方模拟程序。请运行 make peers,或设置 TOUCHLINE_PEERS。",
    ),
    "peer_failed": (
        "The generator {name} ended with: {why}. Run make peers to have the version we know.",
        "第三方模拟程序 {name} 出错:{why}。请运行 make peers 安装我们支持的版本。",
    ),
    "too_many_channels": (
        "{model} takes at most {limit} channels, not {found}. Group channels, or use shapley.",
        "模型 {model} 最多支持 {limit} 个渠道,当前有 {found} 个。请合并渠道,或改用 shapley。",
    ),
    "too_few_conversions": (
        "{model} needs at least {limit} conversions, not {found}. Take more days, or leave it out.",
        "模型 {model} 至少需要 {limit} 次转化,当前只有 {found} 次。请拉长时间范围,或去掉该模型。",
    ),
    "model_sampled": (
        "{model} is sampled, as there are more than 20 channels; standard_error says how far off.",
        "渠道超过 20 个,模型 {model} 采用抽样计算;standard_error 为标准误差。",
    ),
    "bad_half_life": (
        "A half-life of {days} days cannot be used. Give days above 0, such as 7, or fitted.",
        "半衰期 {days} 天无效。请填写大于 0 的天数,例如 7,或 fitted(由数据拟合)。",
    ),
    "nothing_watched": (
        (
            "{model} needs time between touches and conversions, and here all have one moment. "
            "Give them their times, or leave it out."
        ),
        "{model} 需要触点与转化之间有时间差,而这里的时间全部相同。请提供实际时间,或不使用该模型。",
    ),
    "bad_weights": (
        "{value} cannot be used: {why}. Write numbers from 0 up: first=0.4,last=0.4,rest=0.2.",
        "权重 {value} 无效:{why}。请填写不小于 0 的数值,例如 first=0.4,last=0.4,rest=0.2。",
    ),
    "unknown_goal": (
        "There is no goal {name}. Known: {known}.",
        "没有名为 {name} 的转化目标。现有目标:{known}。",
    ),
    "job_failed": (
        "The job {kind} failed: {why}. Please report this; nothing was lost.",
        "任务 {kind} 执行失败:{why}。数据没有丢失,请将此信息反馈给我们。",
    ),
    "spend_provisional": (
        "Spend of {first} to {last} may still change: {cost} ({channels}). Import it again later.",
        "{first} 至 {last} 的费用仍可能调整:{cost}({channels})。请稍后重新导入。",
    ),
    "stages_uncounted": (
        "Goal {goal} counts no deal: their stages are {stages}. Apply a [[goal]] that names yours.",
        "转化目标 {goal} 没有统计到任何成交,现有阶段:{stages}。请 apply 写明阶段的 [[goal]]。",
    ),
    "aggregates_covered": (
        "Costs of aggregates are left out where cost files speak of the same: {channels}.",
        "汇总触点的费用已有费用表记录,未重复计入:{channels}。",
    ),
    "no_such_suggestion": (
        "There is no suggestion {number}. See: touchline identity review DIR",
        "没有编号为 {number} 的匹配建议。查看列表:touchline identity review DIR",
    ),
    "suggestion_answered": (
        "Suggestion {number} is {status} already. To change that, undo the decision about it.",
        "匹配建议 {number} 已处理({status})。如需改变,请先撤销对应的人工决定。",
    ),
    "no_such_lift_test": (
        "There is no lift test {name}. `touchline lift list DIR` shows those there are.",
        "没有名为 {name} 的增量实验,可用 touchline lift list DIR 查看。",
    ),
    "no_such_job": (
        "There is no job {number}. Take the number that the answer to your request gave.",
        "没有编号为 {number} 的任务。请使用提交时返回的编号。",
    ),
    "job_cancelled": (
        "The job {number} was cancelled. What it had stored stays.",
        "任务 {number} 已取消,已入库的数据保留。",
    ),
    "job_not_cancelled": (
        (
            "The job {number} erases somebody who asked for it, and cannot be cancelled: it is "
            "begun again until it is done. How far it is: touchline people erasures DIR"
        ),
        (
            "任务 {number} 正在删除客户的个人信息,不能取消,未完成会自动重试。"
            "进度可用 touchline people erasures DIR 查看。"
        ),
    ),
}
