"""What who runs a workspace may be told: its folder, its processes, its keys."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
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
    "state_broken": (
        "{path}: cannot be used ({why}). Check your rights and the disk, or put back a copy.",
        "{path} 无法使用({why})。请检查访问权限和磁盘,或用备份恢复。",
    ),
    "lake_broken": (
        (
            "A file of the lake cannot be read ({why}). `touchline doctor` names all such files:"
            " put them back from a copy."
        ),
        "数据文件无法读取({why})。请运行 `touchline doctor` 查看有哪些文件损坏,并用备份恢复。",
    ),
    "workspace_locked": (
        "{path}: another process is writing to it. Try again when it has finished.",
        "{path} 正被另一个进程写入,请等它完成后再试。",
    ),
    "disk_full": (
        "{path}: no space left on the disk. Free some space and try again; nothing was lost.",
        "{path} 所在磁盘已满。请清理空间后重试,已有数据没有丢失。",
    ),
    "already_served": (
        "{path}: a server is already running on it. Use that one, or stop it first.",
        "{path} 已有服务在运行。请直接使用,或先停止它。",
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
    "demo_folder_taken": (
        "{path}: holds other files. Name an empty folder for the demo data.",
        "{path} 里已有其他文件。请为演示数据指定一个空文件夹。",
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
    "no_hard_links": (
        "{path}: its file system has no hard links ({why}). Use a local disk (ext4, XFS, APFS).",
        "{path} 所在的文件系统不支持硬链接({why})。请放到本地磁盘上(ext4、XFS、APFS)。",
    ),
    "folder_unusable": (
        "{path}: cannot be used ({why}). Choose a folder you may write to.",
        "无法使用文件夹 {path}({why}),请换一个可写的文件夹。",
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
    "bad_alias": (
        "{alias}: no alias. Write PROTOCOL:SITE, such as matomo:1. Protocols: {known}.",
        "{alias} 不是有效的别名。请写成“协议:站点”,如 matomo:1。可用协议:{known}。",
    ),
    "extra_missing": (
        "A part is not installed: {extra}. Install it with: pip install 'touchline[{extra}]'",
        "缺少组件 {extra}。请运行:pip install 'touchline[{extra}]'",
    ),
}
