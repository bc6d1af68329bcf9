"""What a file or a map of it may be told."""

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    "file_missing": (
        "{path}: no such file. Check the path.",
        "找不到文件 {path},请检查路径。",
    ),
    "file_unreadable": (
        "{path}: cannot be read as {format} ({reason}). Check it, or name its format in a map.",
        "文件 {path} 无法按 {format} 读取({reason})。请检查文件,或在映射文件里写明格式。",
    ),
    "file_empty": (
        "{path}: there is nothing in it. Check that the export finished.",
        "文件 {path} 是空的,请检查导出是否完成。",
    ),
    "file_too_large": (
        "{path}: its row groups are larger than 2 GB. Write it again with smaller ones.",
        "文件 {path} 的行组超过 2 GB,请以更小的行组重新导出。",
    ),
    "encoding_unknown": (
        "{path}: line {line} is neither UTF-8 nor GB18030. Save it as UTF-8, or map its encoding.",
        "文件 {path} 第 {line} 行不是 UTF-8 或 GB18030。请另存为 UTF-8,或在映射文件写明 encoding。",
    ),
    "too_many_columns": (
        "{path}: {found} columns, at most {limit}. Leave out those you do not need.",
        "文件 {path} 有 {found} 列,最多 {limit} 列。请去掉不需要的列。",
    ),
    "cell_too_large": (
        "{path}: a cell of column {column} is longer than {limit} characters. Shorten it.",
        "文件 {path} 的 {column} 列有单元格超过 {limit} 个字符,请缩短。",
    ),
    "sheet_too_large": (
        "{path}: too large to open as a workbook. Save the sheet as CSV and import that.",
        "工作簿 {path} 太大,无法打开。请把工作表另存为 CSV 后再导入。",
    ),
    "column_missing": (
        "{path}: no column for {field} of {kind}. It has: {columns}. Name one in a map: [columns].",
        "文件 {path} 缺少 {kind} 所需的 {field} 列,现有:{columns}。请在映射文件 [columns] 指定。",
    ),
    "map_unreadable": (
        "{path}: not a map ({why}). Write TOML with [columns], [constants] and [format].",
        "映射文件 {path} 无法读取({why})。请用 TOML 写 [columns]、[constants]、[format]。",
    ),
    "map_wrong": (
        "{path}: {key} {why}.",
        "映射文件 {path}:{key} 有误({why})。",
    ),
    "map_no_column": (
        "{path}: [columns] {field}: no column {column!r} in the file. It has: {columns}.",
        "映射文件 {path} 的 [columns] {field} 指定了 {column!r},但文件只有:{columns}。请更正列名。",
    ),
    "map_no_header": (
        "{path}: row {row} is no header row. Correct [format] header in the map.",
        "文件 {path} 第 {row} 行不是表头。请更正映射文件的 [format] header。",
    ),
    "map_no_sheet": (
        "{path}: no sheet {sheet!r}; it has: {sheets}. Correct [format] sheet in the map.",
        "工作簿 {path} 没有工作表 {sheet!r},现有:{sheets}。请更正映射文件的 [format] sheet。",
    ),
    "map_bad_encoding": (
        "{value!r} is no encoding. Use one like utf-8, gb18030 or big5 in [format] encoding.",
        "没有编码 {value!r}。请在 [format] encoding 里使用 utf-8、gb18030、big5 等。",
    ),
    "unknown_currency": (
        "{value!r} is not a currency. Use an ISO 4217 code such as CNY or USD.",
        "{value!r} 不是有效币种。请使用 ISO 4217 代码,如 CNY、USD。",
    ),
    "bad_amount": (
        "{value!r} is not an amount of money. Write it in major units, such as 1234.50.",
        "{value!r} 不是有效金额。请以元等主单位填写,如 1234.50。",
    ),
    "paths_columns_missing": (
        "{path}: its first line lacks {missing}. Add them, filled with 0 where there is nothing.",
        "{path}:首行缺少列 {missing}。请补上这些列,没有数据就填 0。",
    ),
    "paths_wrong_width": (
        "{path}, line {line}: {found} fields, not {expected}. Quote a path that holds a separator.",
        "{path} 第 {line} 行:有 {found} 个字段,首行是 {expected} 个。路径里含分隔符时请加引号。",
    ),
    "paths_bad_number": (
        "{path}, line {line}: {column} is {value!r}. Write a number, 0 if there is none.",
        "{path} 第 {line} 行:{column} 的值是 {value!r}。请填写数字,没有就填 0。",
    ),
    "paths_negative_count": (
        "{path}, line {line}: {column} is {value}. Give a count of 0 or more.",
        "{path} 第 {line} 行:{column} 的值是 {value}。次数不能为负,请改正。",
    ),
    "paths_value_alone": (
        "{path}, line {line}: value {value} without a conversion. Set the value to 0, or count it.",
        "{path} 第 {line} 行:没有转化却有金额 {value}。请填写转化数,或把金额改为 0。",
    ),
    "paths_empty_step": (
        "{path}, line {line}: a step of {value!r} has no name. Write paths as: a > b.",
        "{path} 第 {line} 行:路径 {value!r} 中有一步没有名称。请写成:a > b。",
    ),
}
