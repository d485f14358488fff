//! Which questions there are, and what may be said with each: one list for the API, the command line and the configuration.

use std::fmt;

use renmen_schema::{Text, text};

/// A parameter of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is, in English
    pub about: &'static str,
    /// and in Chinese.
    pub about_zh: &'static str,
}

const fn parameter(name: &'static str, about: &'static str, about_zh: &'static str) -> Parameter {
    Parameter { name, about, about_zh }
}

/// Every parameter that some question has.
pub const PARAMETERS: [Parameter; 19] = [
    parameter(
        "from",
        "First day; by default `insight.window` before the last one",
        "起始日；默认为最后一天之前的 `insight.window`",
    ),
    parameter("to", "Last day; by default today", "最后一天；默认为今天"),
    parameter("position", "Id of a job: only this position", "职位编号：仅此职位"),
    parameter("unit", "Id of a unit: only this unit", "部门编号：仅此部门"),
    parameter(
        "outcome",
        "`final_round`, `probation_passed`, `review:KIND`, `metric:CODE`, `retained_days:N` or `not_left_for:REASON`; several are separated by commas",
        "`final_round`、`probation_passed`、`review:种类`、`metric:代码`、`retained_days:天数` 或 `not_left_for:原因`；多个以逗号分隔",
    ),
    parameter(
        "objective",
        "`true`: only metrics that are measured; `false`: those that are judged as well",
        "`true`：仅客观指标；`false`：包括主观指标",
    ),
    parameter("quantile", "From 0 to 1; several are separated by commas", "0 到 1；多个以逗号分隔"),
    parameter("metric", "Code of a metric", "指标代码"),
    parameter("days", "Days on each side of a change", "变更前后各取的天数"),
    parameter("slow", "Seconds from which on a wait is slow", "等待达到多少秒算慢"),
    parameter(
        "attribute",
        "`gender`, `ethnicity`, `age`; joined by `+` for their combination; several are separated by commas",
        "`gender`、`ethnicity`、`age`；用 `+` 组合；多个以逗号分隔",
    ),
    parameter("stage", "The stage that is audited; without it, who was hired", "被审计的阶段；不填则为是否录用"),
    parameter("application", "Id of an application", "应聘编号"),
    parameter(
        "result",
        "Id of an interview result; by default the newest of the application",
        "面试结果编号；默认为该应聘最新的结果",
    ),
    parameter("currency", "ISO 4217 code", "ISO 4217 代码"),
    parameter("per", "Pay interval: `MONTH`, `YEAR`", "计薪周期：`MONTH`、`YEAR`"),
    parameter("amount", "An amount to place in the distribution", "要在分布中定位的金额"),
    parameter("vendor", "The connection whose model the proposal is for", "提案所针对模型的连接"),
    parameter("version", "The version of the model that the change starts from", "更改所基于的模型版本"),
];

macro_rules! questions {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $english:literal $chinese:literal [$($parameter:literal),*],)*) => {
        /// A question.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum QuestionName {
            $($(#[doc = $doc])* $variant,)*
        }

        impl QuestionName {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it asks.
            #[must_use]
            pub fn text(self) -> Text {
                match self { $(Self::$variant => text!($english, $chinese)),* }
            }

            /// The names of its parameters.
            #[must_use]
            pub const fn parameter_names(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($parameter),*]),* }
            }
        }
    };
}

questions! {
    /// `funnel`
    Funnel "funnel" "Where do applications get lost, and how long does each step take?" "应聘在哪一步流失，每一步用时多久？"
        ["from", "to", "position"],
    /// `channels`
    Channels "channels" "Do people of one channel take part more often than those of others?" "某渠道的人参与得是否更多？"
        ["from", "to", "position"],
    /// `friction`
    Friction "friction" "What does each node cost in clicks and waiting, and who gives up?" "每个节点耗费多少点击与等待，谁因此放弃？"
        ["from", "to", "position", "slow"],
    /// `predict`
    Predict "predict" "Which dimensions and questions say something about what came later?" "哪些维度与题目能预测之后的结果？"
        ["from", "to", "position", "outcome", "objective"],
    /// `reweigh`
    Reweigh "reweigh" "Which weights of a position's profile should change?" "岗位画像中哪些权重应当调整？"
        ["from", "to", "position", "outcome", "objective", "vendor", "version"],
    /// `joined`
    Joined "joined" "What did each interview measure, next to what came later?" "每场面试测得了什么，之后的结果又如何？"
        ["from", "to", "position", "outcome", "objective"],
    /// `alert`
    Alert "alert" "Do people with the best interviews do worse at work?" "面试最优者的工作表现是否更差？"
        ["from", "to", "position", "outcome", "objective"],
    /// `review`
    Review "review" "Did instructions to a vendor's model help?" "对供应商模型的调整指令是否有效？"
        ["days", "outcome", "objective"],
    /// `performance`
    Performance "performance" "How do people in a position or unit perform?" "某岗位或部门的绩效分布如何？"
        ["from", "to", "position", "unit", "quantile", "objective"],
    /// `profile`
    Profile "profile" "What do the best have that the others do not?" "绩优者有哪些他人没有的特质？"
        ["from", "to", "position", "unit", "metric", "quantile", "objective"],
    /// `refusals`
    Refusals "refusals" "Which pay bands lose people over pay?" "哪些薪资带因薪酬而被拒？"
        ["from", "to"],
    /// `market`
    Market "market" "What does the market pay?" "市场薪酬如何？"
        ["position", "currency", "per", "amount"],
    /// `pay`
    Pay "pay" "What should an offer for this application say?" "该应聘应给出怎样的薪酬？"
        ["application"],
    /// `level`
    Level "level" "Did this applicant show a higher level than was asked for?" "该应聘者是否展现出更高的级别？"
        ["application"],
    /// `explanation`
    Explanation "explanation" "Why is each score of this application what it is?" "该应聘的每项评分依据是什么？"
        ["application", "result"],
    /// `fairness`
    Fairness "fairness" "Do groups of people fare alike?" "不同群体的结果是否相当？"
        ["from", "to", "position", "attribute", "stage"],
}

impl QuestionName {
    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|question| question.as_str() == name).copied()
    }

    /// May only a key ask it that was made for audits?
    #[must_use]
    pub fn is_for_audits_only(self) -> bool {
        self == Self::Fairness
    }

    /// Is it answered person by person, and so with an owner's key alone?
    #[must_use]
    pub fn is_person_by_person(self) -> bool {
        self == Self::Joined
    }

    /// Is it about one application, or what is published of pay, instead of many records?
    #[must_use]
    pub fn is_about_one(self) -> bool {
        matches!(self, Self::Market | Self::Pay | Self::Level | Self::Explanation)
    }

    /// Its parameters.
    pub fn parameters(self) -> impl Iterator<Item = &'static Parameter> {
        PARAMETERS.iter().filter(move |parameter| self.parameter_names().contains(&parameter.name))
    }
}

impl fmt::Display for QuestionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{PARAMETERS, QuestionName};

    #[test]
    fn every_parameter_is_described_and_used() {
        for question in QuestionName::ALL {
            assert_eq!(QuestionName::from_name(question.as_str()), Some(*question));
            assert_eq!(question.parameters().count(), question.parameter_names().len(), "{question}");
        }
        for parameter in PARAMETERS {
            let used = QuestionName::ALL.iter().any(|one| one.parameter_names().contains(&parameter.name));
            assert!(used, "{} is of no question", parameter.name);
        }
        assert_eq!(QuestionName::from_name("sales"), None);
    }
}
