"""What people are told who open their preferences, and operators who look after them."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    "link_over": (
        "This link is not valid, or no longer. Use the one in the newest message you got from us.",
        "链接无效或已过期。请使用您最近收到的消息中的链接。",
    ),
    "masked_role": (
        "Your key sees values masked; this holds them whole, or lifts masks. Ask who may see them.",
        "您的密钥只能查看脱敏数据,而此操作涉及完整信息或权限设置。请由有权限的同事操作。",
    ),
    "no_such_recipient": (
        "The register has no recipient {name}. Write a [[recipient]] and put it in force.",
        "登记册里没有接收方 {name}。请用 [[recipient]] 登记并使其生效。",
    ),
}
