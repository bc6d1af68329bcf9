"""What is told of places that rows are pulled from, and of the way there."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
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
    "host_away": (
        "{host}: no answer ({why}). It is tried again later; check the address.",
        "{host} 没有响应({why})。稍后会重试,也请检查地址。",
    ),
    "folder_refused": (
        "{path}: not among the folders that may be read. List it as reach in settings.toml.",
        "不允许读取 {path}。请在 settings.toml 的 reach 中列出该文件夹。",
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
    "source_leads_elsewhere": (
        "It leads to {place}, which the source does not name. Write it as base_url if it is meant.",
        "该接口指向数据源定义之外的地址 {place}。如确需访问,请把它写进 base_url。",
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
}
