"""What who asks for numbers or people may be told."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
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
    "person_ambiguous": (
        "{name} is more than one person. Say which you mean: {choices}.",
        "{name} 对应多位客户,请指明是哪一位:{choices}。",
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
    "no_such_job": (
        "There is no job {number}. Take the number that the answer to your request gave.",
        "没有编号为 {number} 的任务。请使用提交时返回的编号。",
    ),
    "job_cancelled": (
        "The job {number} was cancelled. What it had stored stays.",
        "任务 {number} 已取消,已入库的数据保留。",
    ),
}
