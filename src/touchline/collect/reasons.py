"""Why an item was rejected: each stable code, and what the sender should do about it (en, zh).

Most are found by `verdict`, before the answer; the last ones when the log is committed (`jobs`), as
is what a strict tracking plan refuses.
"""

__all__ = ["REASONS"]

REASONS: dict[str, tuple[str, str]] = {
    "not_an_object": (
        "The item is not a JSON object. Send one object per event.",
        "该条数据不是 JSON 对象。每个事件请发送一个对象。",
    ),
    "too_deep": (
        "The item is nested more than 64 levels deep. Flatten it.",
        "该条数据嵌套超过 64 层,请减少嵌套。",
    ),
    "unknown_type": (
        "The type is none of track, identify, page, screen, group, alias. Correct it.",
        "事件类型不是 track、identify、page、screen、group、alias 之一,请更正。",
    ),
    "bad_message_id": (
        "messageId is not a text of at most 255 characters. Leave it out or shorten it.",
        "messageId 不是 255 个字符以内的文本。请缩短,或不传。",
    ),
    "bad_id": (
        "userId, anonymousId, previousId or groupId is neither text nor number. Send a text.",
        "userId、anonymousId、previousId 或 groupId 既不是文本也不是数字,请改为文本。",
    ),
    "missing_id": (
        "Nothing says whose event it is. Send userId or anonymousId (not null, 0 or a test value).",
        "无法判断事件属于谁。请传 userId 或 anonymousId(不能是 null、0 或测试值)。",
    ),
    "too_many_identifiers": (
        "More than 100 traits of the event are identifiers of one person. Send each person's own.",
        "该事件的客户属性中有超过 100 个客户标识。请每次只传一个人自己的标识。",
    ),
    "missing_event": (
        "A track call needs the name of the event, as text.",
        "track 调用缺少事件名称(文本)。",
    ),
    "missing_group_id": (
        "A group call needs groupId.",
        "group 调用缺少 groupId。",
    ),
    "missing_previous_id": (
        "An alias call needs previousId and userId.",
        "alias 调用需要 previousId 和 userId。",
    ),
    "other_site": (
        "The item is of another site or app than the first of its request. Send each by itself.",
        "该条数据与同一请求的第一条不属于同一站点或应用。请分开发送。",
    ),
    "bad_merge": (
        "A merge call needs mergeProperties: two objects with type and value, of two kinds of id.",
        "merge 调用需要 mergeProperties:两个含 type 和 value 的对象,且为不同种类的标识。",
    ),
    "bad_properties": (
        "properties is not an object. Send an object or leave it out.",
        "properties 不是对象。请传对象,或不传。",
    ),
    "bad_traits": (
        "traits is not an object. Send an object or leave it out.",
        "traits 不是对象。请传对象,或不传。",
    ),
    "bad_context": (
        "context is not an object. Send an object or leave it out.",
        "context 不是对象。请传对象,或不传。",
    ),
    "bad_timestamp": (
        "The timestamp cannot be read. Send ISO 8601, such as 2026-11-21T08:30:00.000Z.",
        "无法识别时间。请使用 ISO 8601 格式,如 2026-11-21T08:30:00.000Z。",
    ),
    "form_trap": (
        "Filled in as only programs do: hidden field, or too fast. A person? Replay without trap.",
        "疑似程序提交(填写了隐藏字段,或快得不像真人)。若确为真人,请去掉 trap 后重放。",
    ),
    "missing_field": (
        "A field that the webhook's definition requires has nothing. Correct its path and replay.",
        "webhook 定义要求的字段没有值。请更正该字段的路径,然后重放。",
    ),
    "bad_amount": (
        "The revenue (or total) is not an amount. Send a number in major units, such as 199.00.",
        "金额无法识别。请以元为单位传数字,如 199.00。",
    ),
    "unknown_currency": (
        "The currency is no ISO 4217 code. Send one such as CNY or USD.",
        "币种不是 ISO 4217 代码。请使用 CNY、USD 等。",
    ),
    "unplanned_event": (
        "The tracking plan has no event of this name. Add it to the plan, or correct the name.",
        "埋点方案中没有这个事件。请加入方案,或更正事件名称。",
    ),
    "unplanned_property": (
        "The tracking plan closes this event, and it has a property more. Add it, or leave it out.",
        "该事件在埋点方案中不允许多余属性,却带有方案外的属性。请加入方案,或不传。",
    ),
    "missing_property": (
        "A property that the tracking plan requires is missing. Send it.",
        "缺少埋点方案规定的必填属性,请补上。",
    ),
    "wrong_type": (
        "A property is of another type than the tracking plan says. Send a number as a number.",
        "属性类型与埋点方案不符。例如数字请不要传成文本。",
    ),
    "not_in_list": (
        "A property is none of the values that the tracking plan lists. Correct it, or list it.",
        "属性取值不在埋点方案的可选值中。请更正,或补充可选值。",
    ),
    "wrong_format": (
        "A property is not of the form that the tracking plan says (pattern, format). Correct it.",
        "属性格式与埋点方案规定的不符(pattern 或 format),请更正。",
    ),
    "out_of_range": (
        "A property is smaller or larger, shorter or longer than the tracking plan allows.",
        "属性的大小或长度超出埋点方案规定的范围。",
    ),
    "id_conflict": (
        "The same message id came before with other content. Give each event an id of its own.",
        "相同的消息 ID 此前已收到过不同的内容。请为每个事件使用唯一的 ID。",
    ),
    "unreadable_body": (
        "The whole request could not be read. Send JSON, plain or gzip, with a list named batch.",
        "整个请求无法解析。请发送 JSON(可用 gzip 压缩),批量数据放在 batch 列表中。",
    ),
    "erased": (
        "It names somebody who asked to be erased, or an order of theirs. Nothing of it is kept.",
        "该条数据涉及已要求删除个人信息的客户或其订单,未保留任何内容。",
    ),
    "not_kept": (
        "Visitors of links were led on, but these were not kept: too many at once, or a full disk.",
        "短链访问已正常跳转,但这些访问未能记录(超出限额或磁盘已满)。",
    ),
    "no_definition": (
        "The webhook or form it was sent to is defined no longer. Define it again and replay.",
        "接收该请求的 webhook 或表单已不再定义。请重新定义,然后重放。",
    ),
    "internal_error": (
        "Touchline failed on this item and kept it as it came. Please report it with its payload.",
        "Touchline 处理该条数据时出错,原始内容已保留。请连同内容反馈给我们。",
    ),
}
