//! Every text of the page, in both languages.

use renmen_schema::Language;
use renmen_schema::code::OutcomeReason;

/// A text in both languages.
#[derive(Clone, Copy)]
pub(super) struct Text {
    en: &'static str,
    zh: &'static str,
}

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

impl Text {
    pub(super) fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }
}

pub(super) const OTHER_LANGUAGE: Text = text("中文", "English");
pub(super) const TITLE: Text = text("Interview result", "面试结果");
pub(super) const NO_NAME: Text = text("Name not available here", "此处没有姓名");
pub(super) const NO_POSITION: Text = text("Position not available here", "此处没有职位名称");
pub(super) const OPEN: Text = text("Waiting for your decision", "等待您决定");
pub(super) const PASSED: Text = text("Decided: pass", "已决定：通过");
pub(super) const FAILED: Text = text("Decided: fail", "已决定：不通过");
pub(super) const SCORE: Text = text("Overall score", "总分");
pub(super) const NO_SCORE: Text = text("The result has no overall score.", "结果没有总分。");
pub(super) const OF_100: Text = text("of 100", "满分 100");
pub(super) const PASS_LINE: Text = text("Pass line", "通过线");
pub(super) const BORDER: Text = text("Border band", "复核区间");
pub(super) const SCALE: Text = text(
    "The score on a scale from 0 to 100, with the border band and the pass line",
    "0 到 100 的得分标尺，标有复核区间与通过线",
);
pub(super) const RULE_SAYS: Text = text("The rule says", "规则结论");
pub(super) const REVIEW: Text = text("left to a person", "交由人工");
pub(super) const PASS: Text = text("Pass", "通过");
pub(super) const FAIL: Text = text("Fail", "不通过");
pub(super) const DIMENSIONS: Text = text("Dimension scores", "各维度得分");
pub(super) const DIMENSION: Text = text("Dimension", "维度");
pub(super) const VALUE: Text = text("Score", "得分");
pub(super) const WEIGHT: Text = text("Weight", "权重");
pub(super) const NO_DIMENSIONS: Text = text("There are no scores for individual dimensions.", "没有单项维度的得分。");
pub(super) const MORE_DIMENSIONS: Text =
    text("There are more dimensions than are shown here.", "维度较多，此处未全部列出。");
pub(super) const UNNAMED: Text = text("Unnamed", "未命名");
pub(super) const CORRECTED: Text = text("Corrected", "已更正");
pub(super) const WHY: Text = text("Why it is with you", "为何由您决定");
pub(super) const OPENED_BY: Text = text("Reopened by", "重新打开者");
pub(super) const BEFORE: Text = text("Previous decision", "此前的决定");
pub(super) const BEFORE_OPEN: Text = text("It had not been decided.", "此前尚未作出决定。");
pub(super) const SCORE_THEN: Text = text("Score then", "当时得分");
pub(super) const SCORE_NOW: Text = text("Score now", "现在得分");
pub(super) const BY: Text = text("Decided by", "决定人");
pub(super) const RULE: Text = text("the rule", "规则");
pub(super) const AT: Text = text("At", "时间");
pub(super) const REASON: Text = text("Reason", "理由");
pub(super) const YOUR_DECISION: Text = text("Your decision", "您的决定");
pub(super) const VERDICT: Text = text("Does the candidate pass?", "候选人是否通过？");
pub(super) const REASON_HINT: Text = text(
    "Kept with the decision; colleagues who may read the record see it.",
    "随决定一并保存，有权查看该记录的同事可以看到。",
);
pub(super) const CODE: Text = text("Category, if the candidate does not pass (optional)", "不通过的类别（可不选）");
pub(super) const CATEGORY: Text = text("Category", "类别");
pub(super) const NO_CODE: Text = text("None", "不选");
pub(super) const CONFIRM: Text = text("Confirm decision", "确认决定");
pub(super) const UNDO_TITLE: Text = text("Decided by mistake?", "点错了？");
pub(super) const UNDO_HINT: Text = text(
    "The decision is opened again, and you can decide once more on the next page. Both steps stay in the record.",
    "该决定将重新打开，您可以在下一页重新决定。两步操作都会保留在记录中。",
);
pub(super) const UNDO: Text = text("Undo my decision", "撤销我的决定");
pub(super) const MADE_FOR: Text = text("This link was made for: ", "此链接的使用者：");
pub(super) const VALID_UNTIL: Text = text("Valid until: ", "有效期至：");
pub(super) const DO_NOT_SHARE: Text = text(
    "Anyone who has the link can decide under this name: do not forward it.",
    "任何持有此链接的人都能以该名义决定，请勿转发。",
);
pub(super) const CHOOSE: Text = text("Choose pass or fail.", "请选择通过或不通过。");
pub(super) const GIVE_REASON: Text = text("Give a reason of 1 to 2,000 characters.", "请填写 1 到 2000 个字符的理由。");
pub(super) const MEANWHILE: Text = text(
    "A different decision was made in the meantime. Nothing was changed.",
    "在此期间已有其他决定，您的提交未作任何更改。",
);
pub(super) const ZONE: Text = text("UTC", "北京时间");

/// What is kept as the reason when a person undoes a decision of their own.
pub(super) const UNDONE: Text = text("Undone on the decision page by the person who decided", "决定人在决定页面上撤销");

/// A page that shows nothing of the decision.
#[derive(Clone, Copy)]
pub(super) struct Notice {
    pub(super) title: Text,
    pub(super) body: Text,
}

pub(super) const INVALID: Notice = Notice {
    title: text("This link is not valid", "此链接无效"),
    body: text(
        "It may have been copied incompletely. Open it again from the message that you received.",
        "链接可能没有复制完整，请从收到的消息中重新打开。",
    ),
};
pub(super) const EXPIRED: Notice = Notice {
    title: text("This link has expired", "此链接已过期"),
    body: text(
        "Ask the team that runs your hiring systems for a new one; the decision may still be waiting.",
        "该决定可能仍在等待处理，请向负责招聘系统的同事索取新的链接。",
    ),
};
pub(super) const SUPERSEDED: Notice = Notice {
    title: text("This decision was replaced by another one", "此决定已被后续决定取代"),
    body: text(
        "If the new one needs a person, a message with its own link was sent. Nothing can be decided here any longer.",
        "若新的决定仍需人工处理，系统已另发带链接的消息。此处不能再作决定。",
    ),
};
pub(super) const NOT_YOURS: Notice = Notice {
    title: text("Only the person who decided can undo it here", "只有决定人本人可以在此撤销"),
    body: text("Nothing was changed.", "未作任何更改。"),
};
pub(super) const TOO_LARGE: Notice = Notice {
    title: text("The reason is too long", "提交的内容过长"),
    body: text("Nothing was changed. Go back and shorten the reason.", "未作任何更改。请返回并缩短理由。"),
};
pub(super) const UNREADABLE: Notice = Notice {
    title: text("The form could not be read", "无法读取提交的内容"),
    body: text(
        "Nothing was changed. Open the link again and use its form.",
        "未作任何更改。请重新打开链接并使用页面上的表单。",
    ),
};
pub(super) const TOO_MANY: Notice = Notice {
    title: text("Too many invalid links", "无效链接尝试过多"),
    body: text("Wait a minute, then open the link from your message again.", "请等待一分钟，再从消息中打开链接。"),
};
pub(super) const UNAVAILABLE: Notice = Notice {
    title: text("The gateway is not available at the moment", "网关暂时不可用"),
    body: text(
        "Open the link again shortly. If you were deciding, check first whether your decision was saved.",
        "请稍后重新打开链接。若刚提交了决定，请先查看是否已生效。",
    ),
};

/// The text for the code of a reason why a candidate does not pass.
pub(super) fn reason(code: OutcomeReason) -> Text {
    match code {
        OutcomeReason::NoShow => text("Did not show up", "未到场"),
        OutcomeReason::PayTooLow => text("Pay too low for the candidate", "薪资低于候选人期望"),
        OutcomeReason::ReturnedByDepartment => text("Returned by the department", "用人部门退回"),
        OutcomeReason::BelowPassLine => text("Below the pass line", "低于通过线"),
        OutcomeReason::NotQualified => text("Not qualified", "不符合任职要求"),
        OutcomeReason::OverQualified => text("Overqualified", "超出任职要求"),
        OutcomeReason::TookOtherOffer => text("Took another offer", "接受了其他录用"),
        OutcomeReason::NoLongerInterested => text("No longer interested", "候选人不再考虑"),
        OutcomeReason::Location => text("Location", "工作地点"),
        OutcomeReason::BackgroundCheck => text("Background check", "背景调查"),
        OutcomeReason::PositionClosed => text("Position closed", "职位已关闭"),
        OutcomeReason::NoAnswer => text("No answer from the candidate", "联系不上候选人"),
        _ => text("Other", "其他"),
    }
}
