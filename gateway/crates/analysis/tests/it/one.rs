//! The questions about one application, over records in a real store.

use renmen_analysis::{Analysis, AnalysisError, Ask, QuestionName, Settings};
use renmen_schema::id::RecordId;
use serde_json::{Value, json};

use crate::bed::{Bed, name, tenant};
use crate::rows::MadeUp;

fn band(level: &str, min: &str, max: &str) -> Value {
    json!({
        "key": { "level": level, "job_family": "sales" },
        "range": { "min": min, "max": max, "currency": "CNY", "per": "MONTH" },
        "status": "ACTIVE",
        "visibility": "VENDOR_MATCH_ONLY",
    })
}

fn score(value: &str) -> Value {
    json!({ "value": value, "min": "0", "max": "100", "scale": "RAW" })
}

/// An application for a job at a level, with a result of the interview; the application's id.
async fn applied(bed: &Bed, result: Value, prior: Option<&str>) -> RecordId {
    let mut candidate = json!({ "person": {} });
    if let Some(prior) = prior {
        candidate["prior_pay"] = json!({ "money": { "amount": prior, "currency": "CNY" }, "per": "MONTH" });
    }
    let job = json!({
        "kind": { "code": "REQUISITION" }, "title": { "en": "Sales", "zh-CN": "销售" }, "job_family": "sales", "min_level": "middle",
    });
    let application = json!({
        "candidate": { "external": { "value": "c-1" } },
        "job": { "external": { "value": "j-1" } },
        "status": { "code": "ACTIVE" },
    });
    let hiring = [("candidate", "c-1", candidate), ("job", "j-1", job), ("application", "a-1", application)];
    let application = bed.commit("hiring", &hiring).await[2];
    let interview = json!({
        "application": { "external": { "connection": "hiring", "value": "a-1" } },
        "kind": "AI",
        "status": { "code": "COMPLETED" },
    });
    let interviews = [("interview", "i-1", interview), ("interview_result", "r-1", result)];
    let ids = bed.commit("interviews", &interviews).await;
    bed.link(ids[0], "hiring", "application", "a-1").await;
    bed.link(ids[1], "interviews", "interview", "i-1").await;
    application
}

fn matched(value: &str) -> Value {
    json!({ "interview": { "external": { "value": "i-1" } }, "matching": score(value) })
}

fn analysis(bed: &Bed) -> std::sync::Arc<Analysis> {
    let levels = ["junior", "middle", "senior"].map(str::to_owned).to_vec();
    let settings =
        Settings { vendors: vec![name("interviews")], pay_bands: vec![name("payroll")], levels, ..Settings::default() };
    bed.analysis(MadeUp::new(Vec::new()), settings)
}

fn ask(question: QuestionName, application: RecordId) -> Ask {
    let id = application.to_string();
    Ask::read(question, [("application", id.as_str())]).unwrap()
}

#[tokio::test]
async fn middle_level_10_to_13k_with_a_match_of_85_is_11_to_12k_and_11_5k_after_10k_r53_r54() {
    let bed = Bed::new().await;
    let application = applied(&bed, matched("85"), None).await;
    let bands =
        [("pay_band", "b-1", band("middle", "10000", "13000")), ("pay_band", "b-2", band("senior", "15000", "18000"))];
    bed.commit("payroll", &bands).await;
    let analysis = analysis(&bed);
    let answer = analysis.ask(&tenant(), &ask(QuestionName::Pay, application)).await.unwrap();
    let body = &answer.records[0].body;
    assert_eq!((&body["range"]["min"], &body["range"]["max"]), (&json!("11000"), &json!("12000")));
    assert!(body["point"].is_null(), "nothing but the band speaks for a point");
    let reasons: Vec<&str> =
        body["inputs"].as_array().unwrap().iter().filter_map(|one| one["reason"].as_str()).collect();
    assert_eq!(reasons, ["LIMITS_RANGE", "SELECTS_BAND", "PLACES_RANGE"]);

    let bed = Bed::new().await;
    let application = applied(&bed, matched("85"), Some("10000")).await;
    bed.commit("payroll", &bands).await;
    let analysis = self::analysis(&bed);
    let first = analysis.keep(&tenant(), &ask(QuestionName::Pay, application)).await.unwrap();
    assert_eq!(first.answer.records[0].body["point"], json!("11500"));
    let again = analysis.keep(&tenant(), &ask(QuestionName::Pay, application)).await.unwrap();
    let rows = bed.records("pay_suggestion").await;
    assert_eq!((rows.len(), rows[0].revision, rows[0].id, again.ids[0]), (1, 1, first.ids[0], first.ids[0]));
    // Its lineage: the application, the band, the result and the candidate that it was made from.
    let causes = bed.store.causes(&tenant(), rows[0].id, 1).await.unwrap();
    let mut kinds = Vec::new();
    for cause in causes {
        kinds.push(bed.store.record(&tenant(), cause.record).await.unwrap().unwrap().entity);
    }
    assert_eq!(kinds, ["application", "pay_band", "interview_result", "candidate"]);
}

#[tokio::test]
async fn market_pay_of_the_role_is_an_input_with_its_source_and_a_strangers_result_is_none_r54_r07() {
    let bed = Bed::new().await;
    let application = applied(&bed, matched("85"), None).await;
    bed.commit("payroll", &[("pay_band", "b-1", band("middle", "10000", "13000"))]).await;
    let market = |role: &str, on: &str, p50: &str| {
        json!({
            "role": { "en": role },
            "source": { "publisher": "A survey", "published_on": on },
            "stat": { "p25": "10000", "p50": p50, "p75": "14000", "currency": "CNY", "per": "MONTH" },
            "sample": { "employees": 1850 },
        })
    };
    let surveys = [
        ("market_pay", "m-1", market("Sales", "2025-01-31", "9000")),
        ("market_pay", "m-2", market("Sales", "2025-06-30", "11900")),
        ("market_pay", "m-3", market("Nurse", "2025-12-31", "11000")),
    ];
    bed.commit("market", &surveys).await;
    let stranger =
        json!({ "interview": { "external": { "connection": "interviews", "value": "i-1" } }, "matching": score("10") });
    let ids = bed.commit("stranger", &[("interview_result", "x-1", stranger)]).await;
    bed.link(ids[0], "interviews", "interview", "i-1").await;
    let analysis = analysis(&bed);
    let answer = analysis.ask(&tenant(), &ask(QuestionName::Pay, application)).await.unwrap();
    let body = &answer.records[0].body;
    // The middle of the range's centre, 11,500, and the market's median.
    assert_eq!(body["point"], json!("11700"));
    assert_eq!(body["inputs"][2]["value"], json!("0.85"), "a stranger's result does not count");
    assert_eq!(body["inputs"][3]["provenance"], json!("A survey, 2025-06-30"));

    let job = bed.id("hiring", "job", "j-1").await.to_string();
    let said = [("position", job.as_str()), ("amount", "11900")];
    let answer = analysis.ask(&tenant(), &Ask::read(QuestionName::Market, said).unwrap()).await.unwrap();
    assert_eq!(answer.figure("A survey, 2025-06-30/p50").unwrap().value, Some(11_900.0));
    assert_eq!(answer.figures.len(), 6, "two surveys of three percentiles; another role's is not there");
    let at = answer.findings.iter().find(|one| one.code == "AT").unwrap();
    assert_eq!((at.about.as_deref(), at.value.as_deref()), (Some("A survey, 2025-06-30"), Some("50")));
}

#[tokio::test]
async fn assessed_as_senior_the_senior_level_with_15_to_18k_is_suggested_r55() {
    let bed = Bed::new().await;
    let result = json!({ "interview": { "external": { "value": "i-1" } }, "suggested_level": "senior" });
    let application = applied(&bed, result, None).await;
    let bands =
        [("pay_band", "b-1", band("middle", "12000", "15000")), ("pay_band", "b-2", band("senior", "15000", "18000"))];
    bed.commit("payroll", &bands).await;
    let answer = analysis(&bed).ask(&tenant(), &ask(QuestionName::Level, application)).await.unwrap();
    assert_eq!(answer.verdict.as_deref(), Some("CHANGE"));
    let body = &answer.records[0].body;
    assert_eq!(
        (&body["level"], &body["range"]["min"], &body["range"]["max"]),
        (&json!("senior"), &json!("15000"), &json!("18000"))
    );
    let none =
        bed.analysis(MadeUp::new(Vec::new()), Settings { vendors: vec![name("interviews")], ..Settings::default() });
    let refused = none.ask(&tenant(), &ask(QuestionName::Level, application)).await.unwrap_err();
    assert!(matches!(&refused, AnalysisError::Refused(why) if why.to_string().contains("levels = [")), "{refused}");
}

#[tokio::test]
async fn each_score_is_explained_to_the_candidate_in_chinese_and_english_r74() {
    let bed = Bed::new().await;
    let application =
        applied(&bed, json!({ "interview": { "external": { "value": "i-1" } }, "overall": score("80") }), None).await;
    let interview = json!({ "external": { "value": "i-1" } });
    let answer = json!({
        "interview": interview, "question": { "text": { "en": "Describe a conflict", "zh-CN": "请描述一次冲突" }, "kind": { "code": "OPEN" } },
    });
    let of = |value: &str| {
        json!({
            "interview": interview, "competency": { "external": { "value": "comp-1" } }, "score": score(value),
            "weight_used": { "bp": 3_000 }, "evidence": [{ "answer": { "external": { "value": "an-1" } } }],
            "profile": { "external": { "value": "p-1" } }, "profile_version": 1,
        })
    };
    let profile = json!({
        "position": { "external": { "value": "j-1" } }, "version": 1, "complete": false,
        "competencies": [{ "competency": { "external": { "value": "comp-1" } }, "weight": { "bp": 3_000 }, "required_level": score("70") }],
    });
    let records = [
        ("competency", "comp-1", json!({ "name": { "en": "Communication", "zh-CN": "沟通" }, "code": "COMM" })),
        ("position_profile", "p-1", profile),
        ("interview_answer", "an-1", answer),
        ("dimension_score", "s-1", of("82")),
    ];
    let ids = bed.commit("interviews", &records).await;
    bed.link(ids[3], "interviews", "interview", "i-1").await;
    let analysis = analysis(&bed);
    let kept = analysis.keep(&tenant(), &ask(QuestionName::Explanation, application)).await.unwrap();
    let point = &kept.answer.records[0].body["points"][0];
    assert_eq!(point["criterion"], json!({ "en": "Communication (30% of the whole)", "zh-CN": "沟通（占总分 30%）" }));
    let evidence = &point["evidence"];
    assert!(evidence["en"].as_str().unwrap().contains("\"Describe a conflict\""), "{evidence}");
    assert!(evidence["zh-CN"].as_str().unwrap().contains("82（满分 100）"), "{evidence}");
    assert!(point["match_to_requirement"]["zh-CN"].as_str().unwrap().contains("已超过"));
    let rows = bed.records("explanation").await;
    assert_eq!((rows.len(), rows[0].id), (1, kept.ids[0]));
    // Asked later, it is the same.
    bed.clock.advance(86_400_000);
    analysis.keep(&tenant(), &ask(QuestionName::Explanation, application)).await.unwrap();
    assert_eq!(bed.records("explanation").await[0].revision, 1);
}
