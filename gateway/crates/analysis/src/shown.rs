//! An answer as JSON and as CSV: the same figures in both, for the API and the command line.

use serde_json::{Map, Value, json};

use crate::answer::ShownFigure;
use crate::{Answer, Finding};

/// The columns of an answer as CSV.
pub const CSV_HEAD: [&str; 13] =
    ["figure", "value", "low", "high", "p", "p_adjusted", "n", "from", "to", "method", "entities", "records", "ids"];

/// An answer as JSON.
#[must_use]
pub fn json(answer: &Answer) -> Value {
    let parameters: Map<String, Value> =
        answer.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let left_out: Vec<Value> = answer
        .left_out
        .iter()
        .map(|(why, n)| json!({ "reason": why.as_str(), "n": n, "meaning": why.text().to_string() }))
        .collect();
    let records: Vec<Value> = answer
        .records
        .iter()
        .map(|one| json!({ "entity": one.kind.name(), "about": one.about, "body": one.body }))
        .collect();
    json!({
        "question": answer.question.as_str(),
        "parameters": parameters,
        "window": answer.window.as_ref().map(|span| json!({ "start": span.start, "end": span.end })),
        "verdict": answer.verdict,
        "figures": answer.figures.iter().map(figure).collect::<Vec<_>>(),
        "findings": answer.findings.iter().map(finding).collect::<Vec<_>>(),
        "left_out": left_out,
        "tests": answer.tests,
        "table": answer.table.as_ref().map(|table| json!({ "columns": table.columns, "lines": table.lines })),
        "records": records,
    })
}

fn figure(one: &ShownFigure) -> Value {
    let sources: Vec<Value> = one
        .sources
        .iter()
        .map(|source| {
            let ids: Vec<String> = source.ids.iter().map(ToString::to_string).collect();
            json!({ "entity": source.entity.name(), "n": source.n, "ids": ids })
        })
        .collect();
    json!({
        "name": one.name,
        "value": one.value,
        "low": one.interval.map(|(low, _)| low),
        "high": one.interval.map(|(_, high)| high),
        "p": one.p.map(|(alone, _)| alone),
        "p_adjusted": one.p.map(|(_, adjusted)| adjusted),
        "n": one.n,
        "window": one.window.as_ref().map(|span| json!({ "start": span.start, "end": span.end })),
        "method": one.method,
        "sources": sources,
    })
}

fn finding(one: &Finding) -> Value {
    json!({
        "code": one.code,
        "about": one.about,
        "record": one.record.map(|id| id.to_string()),
        "value": one.value,
        "n": one.n,
    })
}

/// The figures of an answer as CSV (RFC 4180), with a line for each finding and each reason for leaving out; of an answer with a table
/// that one alone.
#[must_use]
pub fn csv(answer: &Answer) -> String {
    let mut text = String::new();
    if let Some(table) = &answer.table {
        let number = |value: &Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        line(&mut text, table.columns.iter().map(|name| cell(name)));
        table.lines.iter().for_each(|numbers| line(&mut text, numbers.iter().map(number)));
        return text;
    }
    line(&mut text, CSV_HEAD.map(str::to_owned));
    for one in &answer.figures {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let window = one.window.as_ref();
        line(
            &mut text,
            [
                cell(&one.name),
                number(one.value),
                number(one.interval.map(|(low, _)| low)),
                number(one.interval.map(|(_, high)| high)),
                number(one.p.map(|(alone, _)| alone)),
                number(one.p.map(|(_, adjusted)| adjusted)),
                one.n.to_string(),
                window.map_or_else(String::new, |span| span.start.to_string()),
                window.map_or_else(String::new, |span| span.end.to_string()),
                one.method.clone(),
                joined(one.sources.iter().map(|source| source.entity.name().to_owned())),
                joined(one.sources.iter().map(|source| source.n.to_string())),
                joined(one.sources.iter().flat_map(|source| source.ids.iter().map(ToString::to_string))),
            ],
        );
    }
    let verdict = answer.verdict.iter().map(|verdict| (format!("verdict:{verdict}"), None, String::new()));
    let findings = answer.findings.iter().map(|one| {
        let about = one.about.as_deref().unwrap_or_default();
        let value = one.value.as_deref().map(|value| format!(" {value}")).unwrap_or_default();
        let id = one.record.map(|id| id.to_string()).unwrap_or_default();
        (cell(&format!("finding:{} {about}{value}", one.code)), one.n, id)
    });
    let left_out = answer.left_out.iter().map(|(why, n)| (format!("left_out:{why}"), Some(*n), String::new()));
    for (name, n, id) in verdict.chain(findings).chain(left_out) {
        let mut cells = [(); CSV_HEAD.len()].map(|()| String::new());
        cells[0] = name;
        cells[6] = n.map_or_else(String::new, |n| n.to_string());
        cells[CSV_HEAD.len() - 1] = id;
        line(&mut text, cells);
    }
    text
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" ")
}

/// A text that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn line(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let quoted = |cell: String| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    };
    text.push_str(&cells.into_iter().map(quoted).collect::<Vec<_>>().join(","));
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QuestionName;

    #[test]
    fn csv_quotes_what_must_be_and_hides_formulas() {
        let mut answer = Answer::new(QuestionName::Predict);
        answer.figures.push(ShownFigure {
            name: "=cmd|' /C calc'!A0, \"x\"".to_owned(),
            value: Some(0.1),
            interval: Some((-0.5, 0.5)),
            p: None,
            n: 7,
            window: None,
            method: "pearson_fisher_z".to_owned(),
            sources: Vec::new(),
        });
        answer.findings.push(Finding::of("TOO_FEW", "a").among(7));
        let text = csv(&answer);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], CSV_HEAD.join(","));
        assert_eq!(lines[1], "\"'=cmd|' /C calc'!A0, \"\"x\"\"\",0.1,-0.5,0.5,,,7,,,pearson_fisher_z,,,");
        assert_eq!(lines[2], "finding:TOO_FEW a,,,,,,7,,,,,,");
        assert!(lines.iter().all(|line| line.matches(',').count() >= CSV_HEAD.len() - 1));
    }
}
