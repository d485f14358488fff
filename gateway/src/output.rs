//! What a command says: a table for people, one JSON document for programs. The only place that prints to standard output, and so
//! the place where no text of a stranger's reaches a terminal as it is.
//!
//! A reader that closes the pipe (`| head`) has seen enough: what would follow is dropped, and the command ends as it would have.

use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;

use comfy_table::{ContentArrangement, Table, presets};
use renmen_schema::{Language, Text, shown, text};
use serde::Serialize;

/// A terminal that says it is narrower than this does not know its width.
const WIDTH_MIN: usize = 20;

/// Of a longer cell only so much counts when columns are fitted: the rest wraps.
const CELL_WIDTH_COUNTED: usize = 40;

/// Heads of columns, in the order of the alphabet: English, Chinese.
const HEADINGS: [(&str, &str); 130] = [
    ("about", "对象"),
    ("account", "科目"),
    ("action", "动作"),
    ("against", "反对理由"),
    ("amount", "金额"),
    ("approved by", "批准人"),
    ("at", "时间"),
    ("attempts", "尝试次数"),
    ("began", "开始"),
    ("by hand", "人工"),
    ("bytes", "字节"),
    ("canonical", "规范字段"),
    ("change", "变更"),
    ("changed", "变更数"),
    ("changes", "变更"),
    ("code", "代码"),
    ("columns", "列"),
    ("connection", "连接"),
    ("day", "日期"),
    ("deleted", "已删除"),
    ("deliveries", "投递"),
    ("description", "说明"),
    ("details", "详情"),
    ("difference", "差异"),
    ("digest", "摘要"),
    ("dimensions", "维度"),
    ("document", "凭证号"),
    ("enabled", "启用"),
    ("ended", "结束"),
    ("entity", "实体"),
    ("error", "错误"),
    ("expires", "到期"),
    ("external id", "外部编号"),
    ("fault", "故障"),
    ("field", "字段"),
    ("fields", "字段"),
    ("figure", "指标"),
    ("files", "文件"),
    ("finding", "发现"),
    ("findings", "发现"),
    ("flow", "流程"),
    ("from", "来自"),
    ("hash", "哈希"),
    ("high", "上限"),
    ("hits", "次数"),
    ("id", "编号"),
    ("input (* needed)", "输入（* 必填）"),
    ("interview", "面试"),
    ("journal", "凭证表"),
    ("kind", "种类"),
    ("label", "标签"),
    ("last used", "最近使用"),
    ("left out", "未计入"),
    ("line", "行"),
    ("linked with", "关联"),
    ("live", "有效"),
    ("low", "下限"),
    ("made", "创建"),
    ("method", "方法"),
    ("moved to", "迁至"),
    ("n", "样本数"),
    ("name", "名称"),
    ("needs", "需要"),
    ("of", "总数"),
    ("one", "一方"),
    ("other", "另一方"),
    ("other values", "其他取值"),
    ("outcome", "结果"),
    ("p", "p 值"),
    ("pages", "页"),
    ("parameters", "参数"),
    ("part", "部分"),
    ("person", "人员"),
    ("plugin", "插件"),
    ("position", "位置"),
    ("proposed by", "提出人"),
    ("quarantined", "已隔离"),
    ("question", "问题"),
    ("read", "读取"),
    ("read at", "读取位置"),
    ("reason", "原因"),
    ("record", "记录"),
    ("recorded", "记录时间"),
    ("records", "记录"),
    ("refers to", "引用"),
    ("refused for", "拒绝原因"),
    ("request", "请求"),
    ("required", "必填"),
    ("result", "结果"),
    ("revision", "修订"),
    ("revoked", "已吊销"),
    ("role", "角色"),
    ("rows", "行数"),
    ("rule", "规则"),
    ("run", "运行"),
    ("score", "分数"),
    ("section", "配置节"),
    ("sensitivity", "敏感级别"),
    ("seq", "序号"),
    ("side", "方向"),
    ("signer", "签名者"),
    ("since", "起始"),
    ("source", "来源"),
    ("state", "状态"),
    ("status", "状态"),
    ("stream", "数据流"),
    ("streams", "数据流"),
    ("table", "表"),
    ("tenant", "租户"),
    ("the flow", "流程"),
    ("time", "用时"),
    ("to", "去向"),
    ("to delete", "待删除"),
    ("took", "用时"),
    ("total", "合计"),
    ("type", "类型"),
    ("unchanged", "未变"),
    ("undone", "已撤销"),
    ("value", "值"),
    ("vendor", "厂商"),
    ("version", "版本"),
    ("what", "内容"),
    ("what and why", "内容与原因"),
    ("what that means", "含义"),
    ("what the source does", "来源的行为"),
    ("where", "位置"),
    ("where (the first)", "位置（首个）"),
    ("why", "原因"),
    ("why not", "未能原因"),
    ("why, and what to do", "原因与处理"),
];

/// Why standard output could not be written: the first reason.
static FAILURE: OnceLock<std::io::Error> = OnceLock::new();

/// Where and how a command answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// `--json`.
    pub(crate) json: bool,
    /// `--wide`.
    pub(crate) wide: bool,
    /// In which language it speaks to people.
    pub(crate) language: Language,
}

impl Output {
    /// Rows under a head for people, `document` for programs.
    pub(crate) fn table<T: Serialize>(
        self,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
        document: &T,
    ) -> anyhow::Result<()> {
        self.fitted_table(head, &[], rows, document)
    }

    /// The same; where the terminal is too narrow, the columns named in `spare` are left out, the first one first, until the rest
    /// fits. `--wide` keeps them.
    pub(crate) fn fitted_table<T: Serialize>(
        self,
        head: &[&str],
        spare: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
        document: &T,
    ) -> anyhow::Result<()> {
        if self.json {
            return self.document(document);
        }
        let tame = |row: Vec<String>| row.iter().map(|cell| shown::lines(cell).into_owned()).collect();
        // Rows are made here, so the texts in them are shown in the language.
        let rows: Vec<Vec<String>> = self.language.show(|| rows.into_iter().map(tame).collect());
        let head: Vec<&str> = head.iter().map(|name| heading(name, self.language)).collect();
        let spare: Vec<&str> = spare.iter().map(|name| heading(name, self.language)).collect();
        let (head, spare) = (head.as_slice(), spare.as_slice());
        let width = if self.wide { None } else { terminal_width() };
        let columns = fitting_columns(head, spare, &rows, width);
        print(&render(head, &columns, &rows, width));
        let left_out: Vec<&str> = (0..head.len()).filter(|at| !columns.contains(at)).map(|at| head[at]).collect();
        if !left_out.is_empty() {
            self.say(text!(
                "left out to fit the terminal: {} (--wide shows every column)",
                "为适应终端宽度略去：{}（--wide 显示全部列）",
                left_out.join(", ")
            ));
        }
        Ok(())
    }

    /// Indented JSON, for people and programs alike.
    pub(crate) fn document<T: Serialize>(self, document: &T) -> anyhow::Result<()> {
        print(&shown::json(&serde_json::to_string_pretty(document)?));
        Ok(())
    }

    /// A sentence for people; nothing for programs.
    #[allow(clippy::needless_pass_by_value, reason = "each call makes the text that it says")]
    pub(crate) fn say(self, sentence: Text) {
        if !self.json {
            print(&shown::lines(sentence.in_language(self.language)));
        }
    }

    /// A text in a format of its own, such as JUnit or a completion script, for people and programs alike.
    pub(crate) fn text(self, text: &str) {
        print(text.trim_end_matches('\n'));
    }
}

/// The language that the environment of this process asks for.
pub(crate) fn language() -> Language {
    Language::of_environment(|name| std::env::var(name).ok())
}

/// Why some of the output is lost; `None` when the reader only closed its end.
pub(crate) fn failure() -> Option<&'static std::io::Error> {
    FAILURE.get().filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

fn print(text: &str) {
    if FAILURE.get().is_some() {
        return;
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        let _ = FAILURE.set(error);
    }
}

/// The head of a column in the language; one that is not known is shown as it is.
fn heading(name: &str, language: Language) -> &str {
    let known = || HEADINGS.iter().find(|(english, _)| *english == name).map(|(_, chinese)| *chinese);
    match language {
        Language::English => name,
        Language::Chinese => known().unwrap_or(name),
    }
}

/// Columns of the terminal; `None` when standard output is not a terminal and `COLUMNS` does not say.
fn terminal_width() -> Option<usize> {
    let set = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let width = set.or_else(|| console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns)));
    width.filter(|width| *width >= WIDTH_MIN)
}

/// The columns to show, by their places in `head`.
fn fitting_columns(head: &[&str], spare: &[&str], rows: &[Vec<String>], width: Option<usize>) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..head.len()).collect();
    let Some(width) = width else { return columns };
    let widths: Vec<usize> = (0..head.len())
        .map(|at| {
            let lines = rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.lines());
            let widest = lines.map(console::measure_text_width).max().unwrap_or(0).min(CELL_WIDTH_COUNTED);
            widest.max(console::measure_text_width(head[at]))
        })
        .collect();
    // Two blanks and a border for each column, and the last border.
    let needed = |columns: &[usize]| columns.iter().map(|at| widths[*at] + 3).sum::<usize>() + 1;
    for name in spare {
        if needed(&columns) <= width {
            break;
        }
        columns.retain(|at| head[*at] != *name);
    }
    columns
}

fn render(head: &[&str], columns: &[usize], rows: &[Vec<String>], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    match width {
        Some(width) => {
            let width = u16::try_from(width).unwrap_or(u16::MAX);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(columns.iter().map(|at| head[*at]));
    for row in rows {
        table.add_row(columns.iter().map(|at| row.get(*at).map_or("", String::as_str)));
    }
    table.to_string()
}

/// `12,345`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 record`, `2 records`, `1,000 records`.
pub(crate) fn counted(n: impl TryInto<u64>, one: &str, chinese: &str) -> Text {
    let n = n.try_into().unwrap_or(u64::MAX);
    let (number, ending) = (thousands(n), if n == 1 { "" } else { "s" });
    Text::kept(format!("{number} {one}{ending}"), format!("{number} {chinese}"))
}

/// `2026-03-02 09:30:00Z`.
pub(crate) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use renmen_schema::Text;

    use super::{counted, fitting_columns, render, thousands, time};

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1_000, 1_234_567].map(thousands).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn one_is_told_in_the_singular() {
        assert_eq!(
            ["0 records", "1 record", "1,000 records"],
            [0_u64, 1, 1000].map(|n| counted(n, "record", "条记录")).each_ref().map(Text::english)
        );
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time(1_772_413_200_000), "2026-03-02 01:00:00Z");
    }

    const HEAD: [&str; 4] = ["id", "state", "attempts", "reason"];
    const SPARE: [&str; 2] = ["attempts", "state"];

    fn rows() -> Vec<Vec<String>> {
        let long = "a reason of many words which goes on and on, 字段 /rating/value 的类型是文本, until nobody can hold it on one line";
        vec![["1234567890", "delivered", "3", long].map(str::to_owned).into()]
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_no_line_beyond_its_edge() {
        for width in [40, 60, 90, 200] {
            let columns = fitting_columns(&HEAD, &SPARE, &rows(), Some(width));
            let table = render(&HEAD, &columns, &rows(), Some(width));
            assert!(table.lines().all(|line| console::measure_text_width(line) <= width), "{width}:\n{table}");
        }
        assert_eq!(fitting_columns(&HEAD, &SPARE, &rows(), Some(90)), [0, 1, 2, 3]);
        assert_eq!(fitting_columns(&HEAD, &SPARE, &rows(), Some(72)), [0, 1, 3], "the first spare one goes first");
        assert_eq!(fitting_columns(&HEAD, &SPARE, &rows(), Some(40)), [0, 3], "what is not spare stays and wraps");
    }

    #[test]
    fn a_pipe_gets_every_column_and_each_row_on_one_line() {
        let columns = fitting_columns(&HEAD, &SPARE, &rows(), None);
        assert_eq!(columns, [0, 1, 2, 3]);
        let table = render(&HEAD, &columns, &rows(), None);
        assert!(
            table.lines().any(|line| line.contains("1234567890") && line.contains("hold it on one line")),
            "{table}"
        );
    }
}
