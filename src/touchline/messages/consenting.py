"""What people are told who open their preferences, and operators who look after them."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    "link_over": (
        "This link is not valid, or no longer. Use the one in the newest message you got from us.",
        "链接无效或已过期。请使用您最近收到的消息中的链接。",
    ),
    "no_such_recipient": (
        "The register has no recipient {name}. Write a [[recipient]] and put it in force.",
        "登记册里没有接收方 {name}。请用 [[recipient]] 登记并使其生效。",
    ),
}
