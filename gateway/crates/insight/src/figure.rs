//! What every figure carries: how many, over which period, by which method, from which records, and who is not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use renmen_schema::types::DateSpan;
use renmen_schema::{EntityKind, Text, text};

use crate::key::Key;
use crate::stats::Interval;

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The value; none where there is nothing to make it from.
    pub value: Option<f64>,
    /// Its confidence interval, where the method gives one.
    pub interval: Option<Interval>,
    /// How probable it is by chance, where the method tests something.
    pub p: Option<PValue>,
    /// Where it comes from.
    pub basis: Basis,
}

/// A p value, alone and among the others that were tested with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValue {
    /// Of this test alone.
    pub alone: f64,
    /// Corrected for all tests of the question.
    pub adjusted: f64,
}

/// Where a figure comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis {
    /// Sample size.
    pub n: u64,
    /// The period; none where the figure has no period.
    pub window: Option<DateSpan>,
    /// How it was made.
    pub method: Method,
    /// The records behind it.
    pub sources: Vec<Ids>,
}

/// Ids of records of one kind: a few of them, and how many there are.
///
/// The few are those with the lowest keys, so that the same records name the same ones in whichever order they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    kind: EntityKind,
    kept: BTreeSet<Key>,
    total: u64,
    max: usize,
    /// The highest that is kept, once as many are kept as may be.
    highest: Option<Key>,
}

impl Ids {
    /// None yet.
    #[must_use]
    pub fn new(kind: EntityKind, max: usize) -> Self {
        Self { kind, kept: BTreeSet::new(), total: 0, max, highest: None }
    }

    /// Adds a record, which comes once.
    pub fn add(&mut self, key: Key) {
        self.total += 1;
        // Most keys end here: they are not among the lowest.
        if self.highest.is_some_and(|highest| key >= highest) || self.max == 0 {
            return;
        }
        self.kept.insert(key);
        if self.kept.len() > self.max {
            self.kept.pop_last();
        }
        if self.kept.len() == self.max {
            self.highest = self.kept.last().copied();
        }
    }

    /// Of which kind.
    #[must_use]
    pub fn kind(&self) -> EntityKind {
        self.kind
    }

    /// Those that are kept, in rising order.
    pub fn kept(&self) -> impl Iterator<Item = Key> + '_ {
        self.kept.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many are counted and not kept.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.total - self.kept.len() as u64
    }
}

macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident {
        $($(#[doc = $about:literal])* $variant:ident $code:literal $english:literal $chinese:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $about])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// For programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// For people.
            #[must_use]
            pub fn text(self) -> Text {
                match self { $(Self::$variant => text!($english, $chinese)),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How a figure was made.
    Method {
        /// A share with Wilson's interval.
        Share "share_wilson" "share, Wilson interval" "比例，Wilson 区间",
        /// A median by linear interpolation.
        Median "median_type_7" "median, linear interpolation (type 7)" "中位数，线性插值（第 7 类）",
        /// Another quantile by linear interpolation.
        Quantile "quantile_type_7" "quantile, linear interpolation (type 7)" "分位数，线性插值（第 7 类）",
        /// A mean.
        Mean "mean" "mean" "均值",
        /// Pearson's correlation.
        Pearson "pearson_fisher_z" "Pearson correlation, interval by Fisher z" "Pearson 相关，Fisher z 区间",
        /// Spearman's correlation.
        Spearman "spearman_fisher_z"
            "Spearman correlation, average ranks for ties, interval by Fisher z with the error of Bonett and Wright"
            "Spearman 相关，同分取平均秩，Fisher z 区间（Bonett 与 Wright 的误差）",
        /// A difference of two shares, with Fisher's exact test.
        TwoShares "two_shares" "difference of two shares, Newcombe interval, Fisher's exact test"
            "两比例之差，Newcombe 区间，Fisher 精确检验",
        /// A share over the share of the best group, with Fisher's exact test against that group.
        ImpactRatio "impact_ratio" "share over the share of the best group, Fisher's exact test against that group"
            "与最优组比例之比，与该组作 Fisher 精确检验",
        /// Two correlations compared.
        TwoCorrelations "two_correlations" "difference of two Pearson correlations, Fisher z, Zou interval"
            "两个 Pearson 相关之差，Fisher z，Zou 区间",
        /// How often one group is above the other.
        RankSum "mann_whitney" "share of pairs in which the first group is above, Mann-Whitney test"
            "第一组较高的配对比例，Mann-Whitney 检验",
    }
}

words! {
    /// Why a person or a record is not in a figure.
    Why {
        /// No consent covers the purpose.
        NoConsent "no_consent" "no consent for this purpose" "未同意此用途",
        /// Consent was refused.
        Refused "consent_refused" "consent refused" "拒绝同意",
        /// Consent was withdrawn.
        Withdrawn "consent_withdrawn" "consent withdrawn" "撤回同意",
        /// Consent has expired.
        Expired "consent_expired" "consent expired" "同意已过期",
        /// The record's policy allows other purposes only.
        OtherPurpose "other_purpose" "kept for another purpose" "仅可用于其他用途",
        /// The record may no longer be kept.
        RetentionOver "retention_over" "retention period over" "保存期已过",
        /// It is not known which person the record is about.
        NoPerson "no_person" "identity not known" "身份未知",
        /// The record that it belongs to is not part of the question.
        NoParent "no_parent" "its interview or application is not part of this" "所属面试或申请不在范围内",
        /// Outside the period.
        OutsideWindow "outside_window" "outside the period" "不在期间内",
        /// The outcome covers a time before the interview.
        BeforeInterview "before_interview" "outcome before the interview" "结果早于面试",
        /// A judgement, where objective figures were asked for.
        Subjective "subjective" "not objective" "非客观指标",
        /// Of another position or unit.
        OtherScope "other_scope" "another position or unit" "其他职位或部门",
        /// The outcome is not known yet.
        StillOpen "still_open" "outcome not known yet" "结果尚未确定",
    }
}

/// How many are not in a figure, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<Why, u64>);

impl LeftOut {
    /// One more.
    pub fn add(&mut self, why: Why) {
        *self.0.entry(why).or_default() += 1;
    }

    /// How many for this reason.
    #[must_use]
    pub fn count(&self, why: Why) -> u64 {
        self.0.get(&why).copied().unwrap_or_default()
    }

    /// Reasons with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Why, u64)> + '_ {
        self.0.iter().map(|(why, count)| (*why, *count))
    }
}
