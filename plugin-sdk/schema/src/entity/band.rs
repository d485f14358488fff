//! What a position may earn here, and what it earns elsewhere.

use super::{Job, OrgUnit, Taxonomy};
use crate::check::Walk;
use crate::code::{BandStatus, BandVisibility, PassDecision};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Currency, Decimal, LocalDate, Localized, PayInterval, PayRange, Ref, Validity};

entity! {
    /// The range of pay for a position or a level.
    pub struct PayBand {
        /// The position, family, level or combination that the band applies to.
        pub key: BandKey,
        /// Name.
        pub name: Option<Localized>,
        /// From what to what.
        pub range: PayRange => SENSITIVE,
        /// From when to when.
        pub validity: Option<Validity>,
        /// Status.
        pub status: BandStatus,
        /// Who may learn of it.
        pub visibility: BandVisibility,
        /// What a match with the band leads to; PASS or REVIEW where it only informs.
        pub match_rule: Option<PassDecision>,
    }
}

shape! {
    /// What a band applies to: a position, a family, a level, or a combination of them.
    pub struct BandKey {
        /// The position.
        pub position: Option<Ref<Job>>,
        /// The position's name, where the source has no id.
        pub position_name: Option<String>,
        /// The family of jobs.
        pub job_family: Option<String>,
        /// The level.
        pub level: Option<String>,
        /// The grade.
        pub grade: Option<String>,
        /// The location.
        pub location: Option<String>,
        /// The company.
        pub legal_entity: Option<Ref<OrgUnit>>,
    }
    rules key_rules
}

fn key_rules(key: &BandKey, walk: &mut Walk<'_>) {
    let names = [&key.position_name, &key.job_family, &key.level, &key.grade];
    if key.position.is_none() && names.into_iter().all(Option::is_none) {
        walk.defect(
            "empty_key",
            text!(
                "a key without position, job_family, level and grade; expected at least one",
                "键中没有 position、job_family、level 与 grade；至少应有一个"
            ),
        );
    }
}

entity! {
    /// What a role earns on the market, as a distribution with its source.
    pub struct MarketPay {
        /// The role's name.
        pub role: Localized,
        /// The same in public taxonomies.
        pub taxonomy: Vec<Taxonomy>,
        /// Level or years, in the source's own words.
        pub level: Option<String>,
        /// The location.
        pub location: Option<String>,
        /// The source of the figures.
        pub source: MarketSource,
        /// The distribution.
        pub stat: Percentiles,
        /// Sample size.
        pub sample: Option<MarketSample>,
        /// Brought forward to this day.
        pub aged_to: Option<LocalDate>,
    }
}

shape! {
    /// Who published market pay.
    pub struct MarketSource {
        /// The publisher.
        pub publisher: String,
        /// The survey.
        pub name: Option<String>,
        /// Date of publication.
        pub published_on: LocalDate,
    }
}

shape! {
    /// A distribution of pay.
    pub struct Percentiles {
        /// One tenth earns less.
        pub p10: Option<Decimal>,
        /// One quarter earns less.
        pub p25: Option<Decimal>,
        /// Half earns less.
        pub p50: Option<Decimal>,
        /// Three quarters earn less.
        pub p75: Option<Decimal>,
        /// Nine tenths earn less.
        pub p90: Option<Decimal>,
        /// ISO 4217.
        pub currency: Currency,
        /// The pay interval.
        pub per: PayInterval,
    }
    rules percentile_rules
}

fn percentile_rules(stat: &Percentiles, walk: &mut Walk<'_>) {
    let all = [("p10", stat.p10), ("p25", stat.p25), ("p50", stat.p50), ("p75", stat.p75), ("p90", stat.p90)];
    let given: Vec<_> = all.into_iter().filter_map(|(name, amount)| Some((name, amount?))).collect();
    if given.is_empty() {
        walk.defect(
            "empty_range",
            text!("a distribution without any percentile; expected at least one", "分布中没有百分位；至少应有一个"),
        );
    }
    for pair in given.windows(2) {
        if pair[1].1 < pair[0].1 {
            walk.defect_in(
                pair[1].0,
                "bad_range",
                text!(
                    "an amount below the percentile before it; expected a rising order",
                    "金额小于前一个百分位；应递增"
                ),
            );
        }
    }
    if stat.per == PayInterval::Other {
        walk.defect_in(
            "per",
            "missing_unit",
            text!("OTHER; expected a time that amounts can be compared by", "为 OTHER；应为可比较金额的周期"),
        );
    }
}

shape! {
    /// From how many a distribution was made.
    pub struct MarketSample {
        /// Employers.
        pub organisations: Option<u32>,
        /// People.
        pub employees: Option<u32>,
    }
}
