"""What the maker of a link or a QR code may be told."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
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
}
