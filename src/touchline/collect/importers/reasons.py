"""Why a row of a file was rejected, beside the reasons of `collect.reasons` (en, zh)."""

__all__ = ["REASONS"]

REASONS: dict[str, tuple[str, str]] = {
    "nul_character": (
        "The row holds a zero byte. Export the file again.",
        "该行含有空字节,请重新导出文件。",
    ),
    "bad_encoding": (
        "The row does not decode in the file's encoding. Save the file as UTF-8.",
        "该行编码有误,请将文件另存为 UTF-8。",
    ),
    "line_too_long": (
        "The line is longer than a million characters. Check the line breaks of the file.",
        "该行超过一百万个字符,请检查文件换行。",
    ),
    "cell_too_large": (
        "A cell is longer than 131,072 characters. Shorten it or leave the column out.",
        "单元格超过 131,072 个字符,请缩短或去掉该列。",
    ),
    "too_many_cells": (
        "The row has more cells than the header. Put texts that hold the delimiter in quotes.",
        "该行的列数多于表头。含分隔符的内容请加引号。",
    ),
    "too_few_cells": (
        "The row breaks off before the last column. Put texts that hold a line break in quotes.",
        "该行的列数少于表头。含换行的内容请加引号。",
    ),
    "bad_quoting": (
        "Text follows a closing quote. Double the quotes inside a quoted cell.",
        "引号结束后还有内容。单元格内的引号请写成两个。",
    ),
    "unclosed_quote": (
        "A quote is opened and never closed. Close it, or double it inside a cell.",
        "引号没有结束。请补上引号,或在单元格内写成两个。",
    ),
    "bad_json": (
        "The line is not JSON. Write one object a line.",
        "该行不是有效的 JSON,请每行写一个对象。",
    ),
    "bad_time": (
        "The time is missing or unreadable. Write 2026-03-01 12:00, or name date_order in a map.",
        "时间缺失或无法识别。请写成 2026-03-01 12:00,或在映射文件里写明 date_order。",
    ),
    "bad_date": (
        "The date is missing or unreadable. Write 2026-03-01, or name date_order in a map.",
        "日期缺失或无法识别。请写成 2026-03-01,或在映射文件里写明 date_order。",
    ),
    "bad_range": (
        "The range of days ends before it begins, or is longer than ten years. Correct the dates.",
        "日期区间的结束早于开始,或超过十年,请更正。",
    ),
    "bad_cursor": (
        "The cell of the cursor's column is empty or no time, so its place cannot be known.",
        "增量字段为空或不是时间,无法判断该行的先后。请检查 cursor 所指的列。",
    ),
    "bad_consent": (
        "A consent is neither yes nor no. Write yes or no, or leave the cell empty.",
        "同意列既不是“是”也不是“否”。请填“是”或“否”,不清楚时留空。",
    ),
    "bad_conversion_id": (
        "The conversion id is longer than 255 characters. Shorten it.",
        "转化编号超过 255 个字符,请缩短。",
    ),
    "bad_order_id": (
        "The order number is no text of at most 255 characters. Shorten it.",
        "订单号不是 255 个字符以内的文本,请缩短。",
    ),
    "bad_kind": (
        "The kind is none of lead, opportunity, order, renewal (costs: media, fee, rebate …).",
        "类型无法识别。转化可填线索、商机、订单、续约;费用可填媒体、服务费、返点、佣金、制作费。",
    ),
    "bad_provisional": (
        "Whether the spend is final cannot be read. Write provisional or final, or leave it empty.",
        "无法识别费用是否暂估。请填 暂估 或 已结算,或留空。",
    ),
    "bad_lines": (
        'The lines are no list of objects. Write JSON: [{"product": …, "quantity": …}].',
        '商品明细不是对象列表。请写成 JSON:[{"product": …, "quantity": …}]。',
    ),
    "bad_count": (
        "Impressions or clicks are no whole number.",
        "展现量或点击量不是数字。",
    ),
    "missing_cost": (
        "The row has no cost. Fill it in; of merged cells only the first row has it.",
        "该行没有费用。请补上;合并单元格只有首行有金额。",
    ),
    "missing_channel": (
        "No channel, source, medium or campaign. Fill one in; for merged cells map fill_down.",
        "渠道、来源、媒介、活动都为空。请至少填一项;合并单元格请在映射文件写明 fill_down。",
    ),
    "total_row": (
        "A row of totals; it is left out on purpose, or it would count twice.",
        "合计行,已按规则跳过,以免重复计算。",
    ),
    "note_row": (
        "A note beside the table, such as when it was exported; it is left out on purpose.",
        "表格旁的说明文字(如导出时间、备注),已按规则跳过。",
    ),
    "bad_rate": (
        "The rate is no positive number. Write how much of `to` one unit of `from` is worth.",
        "汇率不是正数。请填 1 单位原币折合多少目标币种。",
    ),
    "missing_currency": (
        "The row does not say between which currencies it converts.",
        "该行缺少币种。",
    ),
}
