//! The page itself: what was judged, how it stands, and the form. One document without script, with its style in it.

use renmen_schema::Language;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use renmen_interview::{Before, By, DecisionLink, Dimension, Judged, JudgedCorrection, Made, Stands};
use renmen_schema::code::OutcomeReason;
use renmen_schema::types::{Decimal, Localized};
use sha2::{Digest as _, Sha256};

use super::form::Draft;
use super::html::Html;
use super::words::{self, Notice, Text};

const STYLE: &str = include_str!("../../../assets/decide.css");

/// What a browser may do with a page: nothing but show it with its own style, and send its form back here.
pub(super) fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
    });
    &POLICY
}

/// A page that shows nothing of a decision.
pub(super) fn notice(language: Language, notice: Notice) -> String {
    let mut html = Html::default();
    begin(&mut html, language, notice.title);
    html.raw("<section class=\"card notice\"><h1>").text(notice.title.of(language)).raw("</h1><p>");
    html.text(notice.body.of(language)).raw("</p></section>");
    end(html)
}

fn begin(html: &mut Html, language: Language, title: Text) {
    html.raw("<!doctype html>\n<html lang=\"").text(language.tag()).raw("\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"format-detection\" content=\"telephone=no\"><title>");
    html.text(title.of(language)).raw(" · Renmen</title><style>").raw(STYLE).raw("</style></head><body>");
    html.raw("<header><span class=\"brand\">人门 <b>Renmen</b></span>");
    html.raw(match language {
        Language::English => "<a class=\"lang\" href=\"?lang=zh\" hreflang=\"zh-CN\" lang=\"zh-CN\">",
        Language::Chinese => "<a class=\"lang\" href=\"?lang=en\" hreflang=\"en\" lang=\"en\">",
    });
    html.text(words::OTHER_LANGUAGE.of(language)).raw("</a></header><main>");
}

fn end(mut html: Html) -> String {
    html.raw("</main></body></html>\n");
    html.into_string()
}

/// What a page shows.
pub(super) struct Shown<'a> {
    pub(super) language: Language,
    pub(super) link: &'a DecisionLink,
    pub(super) judged: &'a Judged,
    /// What was filled in before.
    pub(super) draft: &'a Draft,
    /// What is wrong with it.
    pub(super) fault: Option<Text>,
    /// The decision was made by the person of the link.
    pub(super) own: bool,
}

impl Shown<'_> {
    pub(super) fn html(&self) -> String {
        let mut html = Html::default();
        begin(&mut html, self.language, words::TITLE);
        self.head(&mut html);
        if let (Some(fault), Stands::Made(_)) = (self.fault, &self.judged.stands) {
            self.alert(&mut html, fault);
        }
        if let Stands::Made(made) = &self.judged.stands {
            self.made(&mut html, made);
        }
        self.score(&mut html);
        self.why(&mut html);
        self.before(&mut html);
        self.dimensions(&mut html);
        if self.judged.stands == Stands::Open {
            self.form(&mut html);
        }
        self.foot(&mut html);
        end(html)
    }

    fn say(&self, text: Text) -> &'static str {
        text.of(self.language)
    }

    fn best<'t>(&self, text: &'t Localized) -> Option<&'t str> {
        text.best(self.language.tag())
    }

    /// The candidate whose result it is, and the state of the decision.
    fn head(&self, html: &mut Html) {
        let (class, state) = match &self.judged.stands {
            Stands::Made(made) if made.passes => ("<p class=\"state pass\">", words::PASSED),
            Stands::Made(_) => ("<p class=\"state fail\">", words::FAILED),
            _ => ("<p class=\"state open\">", words::OPEN),
        };
        html.raw("<section class=\"head\">").raw(class).text(self.say(state)).raw("</p><h1>");
        match &self.judged.candidate {
            Some(name) => html.name(name),
            None => html.text(self.say(words::NO_NAME)),
        };
        html.raw("</h1><p class=\"job\">");
        match self.judged.position.as_ref().and_then(|position| self.best(position)) {
            Some(position) => html.name(position),
            None => html.text(self.say(words::NO_POSITION)),
        };
        html.raw("</p></section>");
    }

    fn alert(&self, html: &mut Html, fault: Text) {
        html.raw("<p class=\"alert\" role=\"alert\">").text(self.say(fault)).raw("</p>");
    }

    /// One line of a list of facts.
    fn fact(&self, html: &mut Html, name: Text, value: impl FnOnce(&mut Html)) {
        html.raw("<div><dt>").text(self.say(name)).raw("</dt><dd>");
        value(html);
        html.raw("</dd></div>");
    }

    /// The verdict, and the way back for a person who made it by mistake.
    fn made(&self, html: &mut Html, made: &Made) {
        html.raw("<section class=\"card\"><dl class=\"facts\">");
        self.by(html, made);
        if let Some(reason) = self.judged.reason.as_ref().and_then(|reason| self.best(reason)) {
            self.fact(html, words::REASON, |html| {
                html.raw("<span class=\"prose\">").name(reason).raw("</span>");
            });
        }
        for code in self.judged.reasons.iter().filter_map(|code| OutcomeReason::from_code(code)) {
            self.fact(html, words::CATEGORY, |html| {
                html.text(self.say(words::reason(code)));
            });
        }
        html.raw("</dl>");
        if self.own {
            html.raw("<form method=\"post\" class=\"undo\"><h2>")
                .text(self.say(words::UNDO_TITLE))
                .raw("</h2><p class=\"hint\">");
            html.text(self.say(words::UNDO_HINT)).raw("</p><button class=\"quiet\" name=\"undo\" value=\"yes\">");
            html.text(self.say(words::UNDO)).raw("</button></form>");
        }
        html.raw("</section>");
    }

    fn by(&self, html: &mut Html, made: &Made) {
        self.fact(html, words::BY, |html| {
            match &made.by {
                By::Person(person) => html.name(person),
                By::Rule => html.text(self.say(words::RULE)),
            };
        });
        if let Some(at_ms) = made.at_ms {
            self.fact(html, words::AT, |html| {
                html.show(time(at_ms, self.language));
            });
        }
    }

    fn verdict(&self, passes: bool) -> &'static str {
        self.say(if passes { words::PASS } else { words::FAIL })
    }

    fn score(&self, html: &mut Html) {
        let judged = self.judged;
        html.raw("<section class=\"card\"><h2>").text(self.say(words::SCORE)).raw("</h2>");
        match judged.score {
            Some(score) => {
                html.raw("<p class=\"score\"><strong>").show(plain(score)).raw("</strong> <span>");
                html.text(self.say(words::OF_100)).raw("</span></p>");
                self.scale(html, score);
            }
            None => _ = html.raw("<p class=\"hint\">").text(self.say(words::NO_SCORE)).raw("</p>"),
        }
        html.raw("<dl class=\"facts row\">");
        if let Some(pass) = judged.pass {
            self.fact(html, words::PASS_LINE, |html| {
                html.show(plain(pass));
            });
        }
        if let Some((from, below)) = judged.border {
            self.fact(html, words::BORDER, |html| {
                html.show(plain(from)).raw(" – ").show(plain(below));
            });
        }
        self.fact(html, words::RULE_SAYS, |html| {
            html.text(judged.rule_passes.map_or_else(|| self.say(words::REVIEW), |passes| self.verdict(passes)));
        });
        html.raw("</dl></section>");
    }

    /// The score between 0 and 100, drawn.
    fn scale(&self, html: &mut Html, score: Decimal) {
        let rect = |html: &mut Html, class: &'static str, from: i64, to: i64| {
            html.raw("<rect class=\"").raw(class).raw("\" y=\"20\" height=\"16\" x=\"").show(from);
            html.raw("\" width=\"").show((to - from).max(0)).raw("\"/>");
        };
        html.raw("<svg class=\"scale\" viewBox=\"0 0 1000 56\" role=\"img\" aria-label=\"");
        html.text(self.say(words::SCALE)).raw("\">");
        rect(html, "track", 0, 1000);
        if let Some(pass) = self.judged.pass {
            rect(html, "above", place(pass), 1000);
        }
        if let Some((from, below)) = self.judged.border {
            rect(html, "border", place(from), place(below));
        }
        html.raw("<rect class=\"mark\" y=\"4\" width=\"18\" height=\"48\" rx=\"9\" x=\"");
        html.show((place(score) - 9).clamp(4, 978)).raw("\"/></svg>");
    }

    /// Why it is with a person, while it is open.
    fn why(&self, html: &mut Html) {
        let why = self.judged.reason.as_ref().and_then(|reason| self.best(reason));
        let (Stands::Open, Some(why)) = (&self.judged.stands, why) else { return };
        html.raw("<section class=\"card\"><h2>").text(self.say(words::WHY)).raw("</h2><p class=\"prose\">");
        html.name(why).raw("</p>");
        if let Some(person) = &self.judged.opened_by {
            html.raw("<dl class=\"facts\">");
            self.fact(html, words::OPENED_BY, |html| {
                html.name(person);
            });
            html.raw("</dl>");
        }
        html.raw("</section>");
    }

    /// The decision before, with both scores.
    fn before(&self, html: &mut Html) {
        let Some(Before { score, made }) = &self.judged.before else { return };
        html.raw("<section class=\"card\"><h2>").text(self.say(words::BEFORE)).raw("</h2>");
        match made {
            None => html.raw("<p>").text(self.say(words::BEFORE_OPEN)).raw("</p>"),
            Some(made) => html.raw("<p><strong>").text(self.verdict(made.passes)).raw("</strong></p>"),
        };
        html.raw("<dl class=\"facts row\">");
        self.fact(html, words::SCORE_THEN, |html| {
            self.or_none(html, *score);
        });
        self.fact(html, words::SCORE_NOW, |html| {
            self.or_none(html, self.judged.score);
        });
        if let Some(made) = made {
            self.by(html, made);
        }
        html.raw("</dl></section>");
    }

    fn or_none(&self, html: &mut Html, score: Option<Decimal>) {
        match score {
            Some(score) => html.show(plain(score)),
            None => html.text("–"),
        };
    }

    fn dimensions(&self, html: &mut Html) {
        html.raw("<section class=\"card\"><h2>").text(self.say(words::DIMENSIONS)).raw("</h2>");
        if self.judged.dimensions.is_empty() {
            html.raw("<p class=\"hint\">").text(self.say(words::NO_DIMENSIONS)).raw("</p></section>");
            return;
        }
        html.raw("<table><thead><tr><th scope=\"col\">").text(self.say(words::DIMENSION));
        html.raw("</th><th scope=\"col\" class=\"number\">").text(self.say(words::VALUE));
        html.raw("</th><th scope=\"col\" class=\"number\">")
            .text(self.say(words::WEIGHT))
            .raw("</th></tr></thead><tbody>");
        for dimension in &self.judged.dimensions {
            self.dimension(html, dimension);
        }
        html.raw("</tbody></table>");
        if self.judged.more_dimensions {
            html.raw("<p class=\"hint\">").text(self.say(words::MORE_DIMENSIONS)).raw("</p>");
        }
        html.raw("</section>");
    }

    fn dimension(&self, html: &mut Html, dimension: &Dimension) {
        html.raw("<tr><th scope=\"row\">");
        match dimension.name.as_ref().and_then(|name| self.best(name)) {
            Some(name) => html.name(name),
            None => html.text(self.say(words::UNNAMED)),
        };
        html.raw("</th><td class=\"number\"><b>");
        html.show(plain(dimension.corrected.as_ref().map_or(dimension.value, |corrected| corrected.value)));
        html.raw("</b><span class=\"of\"> / ").show(plain(dimension.max)).raw("</span></td><td class=\"number\">");
        match dimension.weight_bp {
            Some(bp) => html.show(percent(bp)).raw(" %"),
            None => html.raw("–"),
        };
        html.raw("</td></tr>");
        let Some(JudgedCorrection { value, by, reason }) = &dimension.corrected else { return };
        html.raw("<tr class=\"note\"><td colspan=\"3\">").text(self.say(words::CORRECTED)).raw(" ");
        html.show(plain(dimension.value)).raw(" → ").show(plain(*value));
        if let Some(by) = by {
            html.raw(" · ").name(by);
        }
        if let Some(reason) = reason.as_ref().and_then(|reason| self.best(reason)) {
            html.raw(" · ").name(reason);
        }
        html.raw("</td></tr>");
    }

    fn form(&self, html: &mut Html) {
        html.raw("<section class=\"card\" id=\"decide\"><h2>").text(self.say(words::YOUR_DECISION)).raw("</h2>");
        if let Some(fault) = self.fault {
            self.alert(html, fault);
        }
        html.raw("<form method=\"post\"><fieldset><legend>")
            .text(self.say(words::VERDICT))
            .raw("</legend><div class=\"choice\">");
        for (input, pass) in [
            ("<label class=\"pass\"><input type=\"radio\" name=\"verdict\" value=\"pass\" required", true),
            ("<label class=\"fail\"><input type=\"radio\" name=\"verdict\" value=\"fail\" required", false),
        ] {
            html.raw(input).raw(if self.draft.pass == Some(pass) { " checked>" } else { ">" });
            html.raw("<span>").text(self.verdict(pass)).raw("</span></label>");
        }
        html.raw("</div></fieldset><label class=\"field\" for=\"reason\">").text(self.say(words::REASON));
        html.raw("</label><textarea id=\"reason\" name=\"reason\" rows=\"4\" maxlength=\"2000\" required aria-describedby=\"hint\">");
        // A browser drops the first line break of a text area.
        html.raw("\n").text(&self.draft.reason).raw("</textarea><p class=\"hint\" id=\"hint\">");
        html.text(self.say(words::REASON_HINT)).raw("</p><div class=\"code\"><label class=\"field\" for=\"code\">");
        html.text(self.say(words::CODE)).raw("</label><select id=\"code\" name=\"code\"><option value=\"\">");
        html.text(self.say(words::NO_CODE)).raw("</option>");
        for code in OutcomeReason::ALL.iter().copied().filter(|code| *code != OutcomeReason::Other) {
            html.raw("<option value=\"").text(code.as_str());
            html.raw(if self.draft.code == Some(code) { "\" selected>" } else { "\">" });
            html.text(self.say(words::reason(code))).raw("</option>");
        }
        html.raw("</select></div><button>").text(self.say(words::CONFIRM)).raw("</button></form></section>");
    }

    /// The person that the link was made for, and how long it is valid.
    fn foot(&self, html: &mut Html) {
        html.raw("<footer><p>").text(self.say(words::MADE_FOR)).raw("<b>").name(&self.link.person).raw("</b> · ");
        html.text(self.say(words::VALID_UNTIL)).show(time(self.link.expires_at_ms, self.language));
        html.raw("</p><p>").text(self.say(words::DO_NOT_SHARE)).raw("</p></footer>");
    }
}

/// Where a score lies on the drawn scale, 0 to 1,000.
fn place(score: Decimal) -> i64 {
    let score: f64 = score.to_string().parse().unwrap_or(0.0);
    (score.clamp(0.0, 100.0) * 10.0).round() as i64
}

/// A number without digits that say nothing.
fn plain(number: Decimal) -> String {
    let text = number.to_string();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Basis points as per cent, without digits that say nothing.
fn percent(bp: u16) -> String {
    match (bp / 100, bp % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

/// A time as readers of the language expect it, with its zone.
fn time(ms: i64, language: Language) -> String {
    let (hours, form) = match language {
        Language::English => (0, "%-d %b %Y, %H:%M"),
        Language::Chinese => (8, "%Y年%-m月%-d日 %H:%M"),
    };
    let edge = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let at = Timestamp::from_millisecond(ms).unwrap_or(edge);
    let shown = at.to_zoned(TimeZone::fixed(Offset::constant(hours))).strftime(form).to_string();
    let zone = words::ZONE.of(language);
    match language {
        Language::English => format!("{shown} {zone}"),
        Language::Chinese => format!("{shown}（{zone}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_times_are_shown_as_readers_expect_them() {
        let shown =
            ["76.00", "77.50", "100", "0.05", "0"].map(|text| Decimal::parse(text).map(plain).unwrap_or_default());
        assert_eq!(shown, ["76", "77.5", "100", "0.05", "0"]);
        assert_eq!([5_000, 1_250, 1_234, 5].map(percent), ["50", "12.5", "12.34", "0.05"]);
        assert_eq!(time(1_772_413_200_000, Language::English), "2 Mar 2026, 01:00 UTC");
        assert_eq!(time(1_772_413_200_000, Language::Chinese), "2026年3月2日 09:00（北京时间）");
        assert_eq!([Decimal::from(0), Decimal::from(77), Decimal::from(100)].map(place), [0, 770, 1000]);
    }

    #[test]
    fn the_policy_lets_in_the_pages_own_style_and_nothing_else() {
        assert!(policy().starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy().contains("unsafe"));
    }
}
