"""What a sender is told, and who looks after what was sent."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    "log_failed": (
        "{path}: the disk refused to write ({why}). Check the disk; send again, nothing was lost.",
        "{path} 写入磁盘失败({why})。请检查磁盘后重新发送,已确认的数据没有丢失。",
    ),
    "log_closed": (
        "The server is stopping. Send again in a moment.",
        "服务正在停止,请稍后重新发送。",
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
        "Not a method of this address: the header Allow lists those it takes. Send events as POST.",
        "该地址不接受这种请求方法。事件请用 POST 发送;响应头 Allow 列出了可用的方法。",
    ),
    "no_open_redirect": (
        "Redirects to an address in the query are not followed. Use a short link instead.",
        "不支持跳转到查询参数里的任意网址。请改用短链接。",
    ),
    "unreadable_body": (
        "The request body cannot be read: {why}. Send JSON, plain or gzip.",
        "请求内容无法解析:{why}。请发送 JSON(可用 gzip 压缩)。",
    ),
    "body_too_large": (
        "Over {limit} bytes, 10,000 events, 200,000 lists, or much around a list. Send parts.",
        "超过 {limit} 字节、1 万条事件、20 万个列表和对象,或列表之外内容过多。请分批发送。",
    ),
    "no_such_form": (
        "There is no form {name!r}. Write a [[form]] and put it in force: touchline apply",
        "没有名为 {name!r} 的表单。请用 [[form]] 定义,再运行 touchline apply 使其生效。",
    ),
    "no_such_webhook": (
        "There is no webhook {name!r}. Write a [[webhook]] and put it in force: touchline apply",
        "没有名为 {name!r} 的 webhook。请用 [[webhook]] 定义,再运行 touchline apply 使其生效。",
    ),
    "wrong_webhook_secret": (
        "Webhook {name}: the secret is missing or wrong. Send it as the definition says.",
        "webhook {name}:缺少密钥或密钥错误。请按定义中的方式发送。",
    ),
    "unknown_key": (
        "This write key is unknown. Send one that touchline keys list DIR shows, or its alias.",
        "写入密钥无效。请使用 touchline keys list DIR 列出的密钥或其别名。",
    ),
    "no_such_reject": (
        "No reject has the id {id}. Take reject_id from touchline rejects list DIR --format json.",
        "没有编号为 {id} 的异常数据。请使用 touchline rejects list DIR 显示的编号。",
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
