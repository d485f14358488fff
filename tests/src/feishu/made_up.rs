//! A made-up company: the same numbers always give the same people, jobs and applications.

use serde_json::{Value, json};

use super::State;
use crate::people::person;

/// 2026-01-01T00:00:00Z.
const FROM_MS: i64 = 1_767_225_600_000;
const HOUR_MS: i64 = 3_600_000;
/// Candidates are others than those who work here, except for those who were hired.
const CANDIDATES_FROM: usize = 5_000;
/// The place of the last stage.
const JOINED: usize = STAGES.len() - 1;
/// Name and type of each stage; its id is `stage-` and its place from 1.
const STAGES: [(&str, &str, i64); 6] = [
    ("简历初筛", "Screening", 1),
    ("AI 面试", "AI interview", 3),
    ("业务面试", "Interview", 4),
    ("Offer 沟通", "Offer", 5),
    ("待入职", "To join", 6),
    ("已入职", "Joined", 7),
];
const DEPARTMENTS: [(&str, &str); 5] = [
    ("示例集团", "Example Group"),
    ("研发部", "Engineering"),
    ("财务部", "Finance"),
    ("销售部", "Sales"),
    ("平台组", "Platform"),
];
/// Title, family, lowest and highest level: in the words of the company's own table of pay bands.
const JOBS: [(&str, &str, &str, &str); 4] = [
    ("高级会计", "职能", "F1", "F1"),
    ("后端工程师", "研发", "P4", "P4"),
    ("客户经理", "销售", "S1", "S2"),
    ("数据分析师", "研发", "P5", "P6"),
];

fn id(kind: u64, n: usize) -> String {
    format!("{kind}{n:017}")
}

fn text(zh: &str, en: &str) -> Value {
    json!([{ "lang": "zh-CN", "value": zh }, { "lang": "en-US", "value": en }])
}

/// The process of hiring.
pub(super) fn process() -> Value {
    let stage = |(index, (zh, en, kind)): (usize, &(&str, &str, i64))| json!({ "id": format!("stage-{}", index + 1), "zh_name": zh, "en_name": en, "type": kind });
    let stages: Vec<Value> = STAGES.iter().enumerate().map(stage).collect();
    json!({ "id": "process-1", "zh_name": "社招流程", "en_name": "Social", "type": 1, "stage_list": stages })
}

/// The process of hiring from universities: its stages are others.
pub(super) fn campus() -> Value {
    let stage = |id: &str, zh: &str, kind: i64| json!({ "id": id, "zh_name": zh, "en_name": zh, "type": kind });
    let stages = [stage("campus-1", "校招初筛", 1), stage("campus-2", "校招笔试", 3), stage("campus-3", "校招面试", 4)];
    json!({ "id": "process-2", "zh_name": "校招流程", "en_name": "Campus", "type": 2, "stage_list": stages })
}

/// Why applications end: id, name, and whose end it is.
pub(super) const REASONS: [(&str, &str, &str, i64); 4] = [
    ("6891560630172518601", "能力不符", "Not qualified", 1),
    ("6891560630172518602", "薪资不符合预期", "Pay", 22),
    ("6891560630172518603", "爽约", "No show", 22),
    ("6891560630172518604", "项目暂停", "Project on hold", 27),
];

fn stage(index: usize) -> Value {
    process()["stage_list"][index].clone()
}

/// Did the n-th candidate join, as the n-th employee?
fn is_hired(n: usize, employees: usize, candidates: usize) -> bool {
    n < employees.min(candidates) && n % STAGES.len() == JOINED && !is_ended(n)
}

fn is_ended(n: usize) -> bool {
    n % 8 == 7
}

/// Which made-up person the n-th candidate is.
pub(super) fn candidate_person(n: usize, employees: usize, candidates: usize) -> usize {
    if is_hired(n, employees, candidates) { n } else { CANDIDATES_FROM + n }
}

pub(super) fn state(employees: usize, candidates: usize) -> State {
    let mut state = State {
        departments: DEPARTMENTS.iter().enumerate().map(department).collect(),
        employees: (0..employees).map(|n| employee(n, is_hired(n, employees, candidates))).collect(),
        offboardings: (0..employees).filter(|n| n % 10 == 9).map(offboarding).collect(),
        jobs: JOBS.iter().enumerate().map(job).collect(),
        talents: (0..candidates).map(|n| talent(n, candidate_person(n, employees, candidates))).collect(),
        applications: (0..candidates).map(application).collect(),
        ..State::default()
    };
    for n in 0..candidates {
        hiring(&mut state, n);
    }
    state
}

fn department((index, (zh, en)): (usize, &(&str, &str))) -> Value {
    let mut department = json!({
        "id": format!("od-{index}"), "department_name": text(zh, en), "code": format!("D{index:04}"), "active": true,
        "is_root": index == 0, "is_confidential": false, "effective_date": "2020-01-01",
        "tree_order": format!("{:06}", index * 1_000),
        "sub_type": { "enum_name": if index == 4 { "group" } else { "department" }, "display": text("部门", "Department") },
    });
    if index > 0 {
        // The last hangs below the second, so that there is a tree.
        department["parent_department_id"] = json!(if index == 4 { "od-1" } else { "od-0" });
        department["manager"] = json!(id(70, index));
    }
    department
}

/// Every tenth has left, every seventh is on probation, and some came through Hire.
fn employee(n: usize, hired: bool) -> Value {
    let who = person(n);
    let left = n % 10 == 9;
    let status = if left { ("terminated", "离职") } else { ("hired", "在职") };
    let mut employee = json!({
        "employment_id": id(70, n), "employment_id_v2": id(70, n), "employee_number": format!("F{n:05}"),
        "department_id": format!("od-{}", 1 + n % 4), "department_id_v2": format!("od-{}", 1 + n % 4),
        "department": { "department_name": text(DEPARTMENTS[1 + n % 4].0, DEPARTMENTS[1 + n % 4].1) },
        "job": { "name": text(JOBS[n % 4].0, "Job") }, "job_level": { "name": text(&format!("P{}", 4 + n % 4), "P") },
        "job_family": { "name": text("职能", "Functions") },
        "effective_date": format!("2024-{:02}-{:02}", 1 + n % 12, 1 + n % 28),
        "seniority_date": format!("2024-{:02}-{:02}", 1 + n % 12, 1 + n % 28),
        "primary_employment": true, "on_probation": !left && n.is_multiple_of(7), "probation_end_date": "2026-12-31",
        "employment_type": { "enum_name": "employee", "display": text("员工", "Employee") },
        "employment_status": { "enum_name": status.0, "display": text(status.1, status.0) },
        "email_address": format!("{}@example.test", who.latin),
        "person_info": { "person_id": id(71, n), "preferred_name": who.name, "legal_name": who.name, "phone_number": format!("+86{}", who.mobile) },
    });
    if n > 0 {
        employee["direct_manager_id"] = json!(id(70, n % 4));
        employee["direct_manager_id_v2"] = json!(id(70, n % 4));
    }
    if hired {
        employee["ats_application_id"] = json!(id(69, n));
        employee["person_info"]["talent_id"] = json!(id(68, n));
    }
    if left {
        employee["expiration_date"] = json!("2026-03-31");
        employee["reason_for_offboarding"] =
            json!({ "enum_name": "limited_career_opportunities_saas", "display": text("职业发展机会有限", "Career") });
    }
    employee
}

fn offboarding(n: usize) -> Value {
    json!({
        "offboarding_id": id(62, n), "initiating_type": "offboarding_initiated_by_self", "status": "Offboarded",
        "offboarding_info": { "employment_id": id(70, n), "offboarding_date": "2026-03-31", "reason_explanation": "个人发展" },
    })
}

fn job((n, (title, family, min, max)): (usize, &(&str, &str, &str, &str))) -> Value {
    json!({
        "id": id(67, n), "title": title, "code": format!("A{n:03}"), "description": "负责相关工作。", "requirement": "三年以上经验。",
        "recruitment_type": { "id": "101", "zh_name": "全职", "en_name": "Full-time", "active_status": 1 },
        "department": { "id": format!("od-{}", 1 + n), "zh_name": DEPARTMENTS[1 + n].0, "en_name": DEPARTMENTS[1 + n].1 },
        "city_list": [{ "code": "CT_1", "name": { "zh_cn": "上海", "en_us": "Shanghai" } }],
        "min_job_level": { "id": "1", "zh_name": min, "en_name": min }, "max_job_level": { "id": "2", "zh_name": max },
        "job_category": { "id": "3", "zh_name": family }, "active_status": 1, "head_count": 2, "job_attribute": 1,
        "create_timestamp": FROM_MS.to_string(), "update_timestamp": (FROM_MS + n as i64 * HOUR_MS).to_string(),
    })
}

fn talent(n: usize, who: usize) -> Value {
    let who = person(who);
    json!({
        "id": id(68, n), "is_in_agency_period": false, "is_onboarded": false,
        "basic_info": {
            "name": who.name, "mobile": who.mobile, "mobile_code": "86", "email": format!("{}@example.test", who.latin),
            "gender": 1 + n as i64 % 2, "birthday": 631_152_000 + n as i64 * 86_400,
            "current_city": { "city_code": "CT_1", "zh_name": "上海", "en_name": "Shanghai" },
            "modify_time": (FROM_MS + n as i64 * HOUR_MS).to_string(),
        },
        "education_list": [{ "id": "1", "degree": 6, "school": "示例大学", "field_of_study": "会计", "start_time": "2012-09", "end_time": "2016-06", "end_time_v2": "1464710400000" }],
        "career_list": [{ "id": "1", "company": "示例贸易", "title": JOBS[n % 4].0, "start_time": "2016-07", "end_time": "至今" }],
        "resume_source_list": [{ "id": "1", "zh_name": "招聘网站", "en_name": "Job site" }],
        "resume_attachment_id_list": [id(66, n)],
    })
}

/// The id of the n-th application.
pub(super) fn application_id(n: usize) -> String {
    id(69, n)
}

fn application(n: usize) -> Value {
    let at = FROM_MS + n as i64 * HOUR_MS;
    // Spread over the stages; every eighth was ended.
    let index = n % STAGES.len();
    let ended = is_ended(n);
    let times: Vec<Value> = (0..=index)
        .map(|step| {
            let entered = at + step as i64 * HOUR_MS;
            let left = if step < index { (entered + HOUR_MS).to_string() } else { String::new() };
            json!({ "stage_id": format!("stage-{}", step + 1), "enter_time": entered.to_string(), "exit_time": left })
        })
        .collect();
    let mut application = json!({
        "id": application_id(n), "job_id": id(67, n % JOBS.len()), "talent_id": id(68, n), "stage": stage(index),
        "active_status": if ended { 2 } else { 1 }, "delivery_type": 2,
        "resume_source_info": { "id": "1", "name": { "zh_cn": "招聘网站", "en_us": "Job site" }, "resume_source_type": 10_003 },
        "create_time": at.to_string(), "modify_time": (at + index as i64 * HOUR_MS).to_string(), "stage_time_list": times,
    });
    if ended {
        application["termination_type"] = json!(1);
        application["termination_reason_list"] = json!([REASONS[0].0]);
        application["termination_reason_note"] = json!("经验不符");
    }
    application
}

/// What came after the application, by its stage.
fn hiring(state: &mut State, n: usize) {
    let index = n % STAGES.len();
    let at = FROM_MS + n as i64 * HOUR_MS;
    if index >= 2 {
        let (begin, end) = (at + 2 * HOUR_MS, at + 3 * HOUR_MS);
        state.interviews.push(json!({
            "id": id(64, n), "application_id": id(69, n), "begin_time": begin, "end_time": end, "round": 0,
            "interview_round_summary": 4, "interview_type": 3, "biz_create_time": at, "biz_modify_time": end,
            "talent_time_zone": { "code": "UTC+08:00", "name": { "zh_cn": "亚洲/上海", "en_us": "Asia/Shanghai" } },
            "interview_record_list": [{
                "id": id(63, n), "commit_status": 1, "conclusion": 1, "content": "符合要求", "feedback_submit_time": end,
                "assessment_score": { "calculate_type": 1, "score": 82.5, "full_score": 100 },
                "interviewer": { "id": "ou_interviewer", "name": { "zh_cn": "面试官" } },
            }],
        }));
        state.evaluations.push(json!({
            "id": id(63, n), "commit_status": 1, "submit_time": end.to_string(),
            "interviewer": { "id": "ou_interviewer", "name": { "zh_cn": "面试官" } },
            "module_assessments": [{ "module_type": 2, "dimension_assessments": [
                { "interview_feedback_form_dimension_id": "dim-1", "dimension_name": { "zh_cn": "沟通" }, "dimension_type": 6,
                  "dimension_option": { "id": "o1", "name": { "zh_cn": "良好" }, "score_val": 80 } },
                { "interview_feedback_form_dimension_id": "dim-2", "dimension_name": { "zh_cn": "专业" }, "dimension_type": 7,
                  "dimension_score": 85 },
            ] }],
        }));
    }
    if index >= 3 {
        state.offers.push(json!({
            "id": id(65, n), "application_id": id(69, n), "offer_status": if index == 3 { 6 } else { 7 }, "offer_type": 1,
            "basic_info": { "onboard_date": "2026-05-06", "probation_month": 6, "level": { "id": "1", "zh_name": "P6" } },
            "salary_plan": { "currency": "CNY", "basic_salary": "{\"amount\":\"18000\",\"period\":2}",
                             "probation_salary_percentage": "100", "award_salary_multiple": "2" },
        }));
    }
    if n == 4 {
        // Imported by someone from an earlier system.
        state.external_applications.push(json!({
            "id": id(61, n), "talent_id": id(68, n), "job_title": "会计", "resume_source": "旧招聘系统", "stage": "复试",
            "termination_type": "候选人放弃", "create_time": at,
        }));
        state.background_checks.push(json!({
            "id": id(60, n), "external_application_id": id(61, n), "date": at, "name": "背景调查", "result": "已通过",
        }));
    }
}

/// Moves an application to a stage, as a person does in Hire. `false` if the application or the stage does not exist.
pub(super) fn move_application(state: &mut State, application: &str, stage_id: &str, at_ms: i64) -> bool {
    let Some(stage) = process()["stage_list"].as_array().and_then(|all| super::find(all, stage_id).cloned()) else {
        return false;
    };
    let Some(known) = state.applications.iter_mut().find(|known| known["id"] == application) else { return false };
    if let Some(times) = known["stage_time_list"].as_array_mut() {
        if let Some(last) = times.last_mut() {
            last["exit_time"] = json!(at_ms.to_string());
        }
        times.retain(|time| time["stage_id"] != stage_id);
        times.push(json!({ "stage_id": stage_id, "enter_time": at_ms.to_string(), "exit_time": "" }));
    }
    known["stage"] = stage;
    known["modify_time"] = json!(at_ms.to_string());
    true
}
