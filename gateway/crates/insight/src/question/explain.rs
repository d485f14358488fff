//! Why is a score what it is? For the candidate, in Chinese and English: the criterion, what it was seen in, and how it fits what was
//! asked for. Nothing of others: no rank, no line, no band, no weight of another competency.

use renmen_schema::entity::{Application, Explanation, ExplanationPoint, InterviewAnswer, InterviewResult};
use renmen_schema::types::{Instant, Localized, Ref, Score, Weight};

/// Questions that a point names; the others are counted.
const QUESTIONS_MAX: usize = 3;

/// One scored competency.
#[derive(Debug, Clone)]
pub struct ScoredPoint<'a> {
    /// The competency or dimension.
    pub criterion: &'a Localized,
    /// How much it counts.
    pub weight: Option<&'a Weight>,
    /// The score that stands.
    pub score: &'a Score,
    /// The score before it was corrected, and why it was.
    pub corrected: Option<(&'a Score, Option<&'a Localized>)>,
    /// The least that was asked for.
    pub required: Option<&'a Score>,
    /// The scorer's own words for the candidate.
    pub remark: Option<&'a Localized>,
    /// The answers that it rests on, each with its question.
    pub answers: Vec<(Ref<InterviewAnswer>, &'a Localized)>,
}

/// The explanation of a result, point by point.
#[must_use]
pub fn explain(
    application: Ref<Application>,
    result: Option<Ref<InterviewResult>>,
    points: &[ScoredPoint<'_>],
    made_at: Instant,
) -> Explanation {
    Explanation {
        result,
        points: points.iter().map(point).collect(),
        made_at: Some(made_at),
        ..Explanation::new(application)
    }
}

fn point(of: &ScoredPoint<'_>) -> ExplanationPoint {
    let weight = of.weight.map(|weight| percent(weight.bp));
    let criterion = both(|tongue| {
        let name = tongue.of(of.criterion);
        match &weight {
            Some(weight) => tongue.say(format!("{name} ({weight} of the whole)"), format!("{name}（占总分 {weight}）")),
            None => name.to_owned(),
        }
    });
    ExplanationPoint {
        evidence: Some(both(|tongue| evidence(of, tongue))),
        answer: of.answers.first().map(|(answer, _)| answer.clone()),
        match_to_requirement: of.required.and_then(|required| fit(of.score, required)),
        ..ExplanationPoint::new(criterion)
    }
}

fn evidence(of: &ScoredPoint<'_>, tongue: Tongue) -> String {
    let mut parts = Vec::new();
    let named = of.answers.iter().take(QUESTIONS_MAX).map(|(_, question)| match tongue {
        Tongue::English => format!("\"{}\"", tongue.of(question)),
        Tongue::Chinese => format!("“{}”", tongue.of(question)),
    });
    let named: Vec<String> = named.collect();
    let more = of.answers.len().saturating_sub(QUESTIONS_MAX);
    if !named.is_empty() {
        let questions = named.join(tongue.say(", ", "、"));
        let more = if more == 0 {
            String::new()
        } else {
            tongue.say(format!(" and {more} more"), format!("等 {} 题", of.answers.len()))
        };
        parts.push(tongue.say(format!("Answers to {questions}{more}."), format!("依据对{questions}{more}的回答。")));
    }
    let score = shown(of.score, tongue);
    parts.push(tongue.say(format!("Score: {score}."), format!("得分：{score}。")));
    if let Some((before, reason)) = of.corrected {
        let before = shown(before, tongue);
        let reason = reason.map(|reason| tongue.of(reason)).unwrap_or_default();
        let because =
            if reason.is_empty() { String::new() } else { tongue.say(format!(": {reason}"), format!("：{reason}")) };
        parts.push(
            tongue.say(
                format!("A person corrected it from {before}{because}."),
                format!("由人工从{before}更正{because}。"),
            ),
        );
    }
    if let Some(remark) = of.remark {
        parts.push(tongue.of(remark).to_owned());
    }
    parts.join(tongue.say(" ", ""))
}

/// How a score fits what was asked for. Both may be on different scales: their places on them are compared.
fn fit(score: &Score, required: &Score) -> Option<Localized> {
    let (reached, asked) = (score.norm()?, required.norm()?);
    Some(both(|tongue| {
        let required = shown(required, tongue);
        match reached.cmp(&asked) {
            std::cmp::Ordering::Less => tongue.say(
                format!("At least {required} was asked for: not reached."),
                format!("要求至少 {required}：未达到。"),
            ),
            std::cmp::Ordering::Equal => tongue.say(
                format!("At least {required} was asked for: just reached."),
                format!("要求至少 {required}：刚好达到。"),
            ),
            std::cmp::Ordering::Greater => tongue
                .say(format!("At least {required} was asked for: exceeded."), format!("要求至少 {required}：已超过。")),
        }
    }))
}

/// A score with its scale, and the word for it where it has one.
fn shown(score: &Score, tongue: Tongue) -> String {
    let (value, min, max) = (score.value, score.min, score.max);
    let on_scale = if min.value().is_zero() {
        tongue.say(format!("{value} of {max}"), format!("{value}（满分 {max}）"))
    } else {
        tongue.say(format!("{value} on a scale of {min} to {max}"), format!("{value}（量表 {min} 至 {max}）"))
    };
    match score.label.as_ref().map(|label| tongue.of(label)).filter(|label| !label.is_empty()) {
        Some(label) => tongue.say(format!("{label}, {on_scale}"), format!("{label}，{on_scale}")),
        None => on_scale,
    }
}

/// Basis points as per cent, without zeros at the end.
fn percent(bp: u16) -> String {
    match (bp / 100, bp % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

#[derive(Clone, Copy)]
enum Tongue {
    English,
    Chinese,
}

impl Tongue {
    fn of(self, text: &Localized) -> &str {
        let tag = match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        };
        text.best(tag).unwrap_or_default()
    }

    fn say<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

fn both(say: impl Fn(Tongue) -> String) -> Localized {
    let english = Localized::en(say(Tongue::English));
    english.clone().with("zh-CN", say(Tongue::Chinese)).unwrap_or(english)
}
