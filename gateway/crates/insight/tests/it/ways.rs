//! Funnel, channels and friction beyond the example: missing events, other periods, unknown channels, small samples.

use renmen_insight::Row;
use renmen_insight::figure::Why;
use renmen_insight::question::channel::Channels;
use renmen_insight::question::friction::Friction;
use renmen_insight::question::funnel::{Funnel, Path};
use renmen_schema::code::{NodeCode, SourceChannel};

use crate::rows::{application, ask, at, step, year};

#[test]
fn an_application_seen_later_has_passed_the_nodes_before_and_what_was_not_measured_is_named() {
    let mut rows = Vec::new();
    for n in 0..10 {
        rows.push(Row::Application(application(n)));
        rows.push(Row::Step(step(n, NodeCode::InviteSent, 0)));
        if n < 4 {
            rows.push(Row::Step(step(n, NodeCode::Started, 3)));
        }
        if n < 6 {
            rows.push(Row::Step(step(n, NodeCode::Completed, 9)));
        }
    }
    let report = ask(Funnel::new(Path::of_interview(year())), &rows);
    assert_eq!(report.conversion.value, Some(0.6));
    assert_eq!(report.not_measured, [NodeCode::InviteOpened, NodeCode::Confirmed, NodeCode::AnswerSubmitted]);
    let [start, end] = &report.steps[..] else { panic!("{report:?}") };
    assert_eq!((start.entered, start.passed, end.entered, end.passed, end.without_event), (10, 6, 6, 6, 2));
    assert_eq!((end.duration_s.value, end.duration_s.basis.n), (Some(360.0), 4));
    assert_eq!(report.bottleneck, Some(0));
}

#[test]
fn applications_of_another_job_or_period_and_stray_steps_are_counted_apart() {
    let mut elsewhere = application(1);
    elsewhere.job = None;
    let mut late = step(2, NodeCode::InviteSent, 0);
    late.at = at("2025-12-31T16:00:00Z");
    let mut in_time = step(3, NodeCode::InviteSent, 0);
    in_time.at = at("2025-12-31T15:59:59Z");
    let rows = [
        Row::Application(elsewhere),
        Row::Application(application(2)),
        Row::Application(application(3)),
        Row::Step(late),
        Row::Step(in_time),
        Row::Step(step(4, NodeCode::InviteSent, 0)),
    ];
    let path = Path { job: Some(renmen_insight::Key(7)), ..Path::of_interview(year()) };
    let report = ask(Funnel::new(path), &rows);
    assert_eq!(report.began, 1, "in China the year ends at 16:00 UTC");
    let counts = [Why::OtherScope, Why::OutsideWindow, Why::NoParent].map(|why| report.left_out.count(why));
    assert_eq!(counts, [1, 1, 1]);
    assert_eq!((report.bottleneck, report.steps.len()), (None, 0));
}

#[test]
fn nothing_makes_an_empty_funnel_and_no_division_by_zero() {
    let report = ask(Funnel::new(Path::of_interview(year())), &[]);
    assert_eq!((report.began, report.conversion.value, report.conversion.interval), (0, None, None));
}

#[test]
fn channels_are_compared_with_all_others_and_small_ones_are_not_judged_r47() {
    let mut rows = Vec::new();
    let mut add = |n: u64, channel, finished: bool| {
        let mut made = application(n);
        made.channel = channel;
        rows.extend([Row::Application(made), Row::Step(step(n, NodeCode::InviteSent, 0))]);
        if finished {
            rows.push(Row::Step(step(n, NodeCode::Completed, 9)));
        }
    };
    (0..100).for_each(|n| add(n, Some(SourceChannel::Referral), n < 80));
    (100..300).for_each(|n| add(n, Some(SourceChannel::JobBoard), n < 180));
    (300..305).for_each(|n| add(n, Some(SourceChannel::Campus), true));
    (305..310).for_each(|n| add(n, None, false));
    let report = ask(Channels::new(Path::of_interview(year()), 30), &rows);
    let names: Vec<_> =
        report.channels.iter().map(|one| (one.channel.unwrap().as_str(), one.began, one.finished)).collect();
    assert_eq!(names, [("CAMPUS", 5, 5), ("JOB_BOARD", 200, 80), ("REFERRAL", 100, 80)]);
    let [campus, board, referral] = &report.channels[..] else { panic!() };
    assert!(campus.too_few && campus.against_others.as_ref().unwrap().p.is_none());
    let (board, referral) = (board.against_others.as_ref().unwrap(), referral.against_others.as_ref().unwrap());
    assert!(board.value.unwrap() < -0.3 && referral.value.unwrap() > 0.3);
    assert_eq!((board.basis.n, referral.basis.n), (305, 305));
    let p = referral.p.unwrap();
    assert!(p.adjusted < 1e-6 && p.adjusted >= p.alone, "two tests, corrected: {p:?}");
    assert_eq!(report.unknown.unwrap().began, 5);
}

#[test]
fn long_waits_that_lose_people_show_r32() {
    let mut rows = Vec::new();
    for n in 0..100 {
        let mut confirmed = step(n, NodeCode::Confirmed, 2);
        (confirmed.clicks, confirmed.wait_ms) = (Some(1 + n as u32 % 5), Some(if n < 50 { 5_000 } else { 120_000 }));
        rows.extend([Row::Application(application(n)), Row::Step(confirmed)]);
        if !(45..90).contains(&n) {
            rows.push(Row::Step(step(n, NodeCode::Completed, 9)));
        }
    }
    let report = ask(Friction::new(Path::of_interview(year()), 120_000), &rows);
    let [node] = &report.nodes[..] else { panic!("{report:?}") };
    assert_eq!((node.node, node.slow.value, node.clicks.value), (NodeCode::Confirmed, Some(0.5), Some(3.0)));
    let lost = node.lost_by_waiting.as_ref().unwrap();
    assert!((lost.value.unwrap() - 0.7).abs() < 1e-12 && lost.p.unwrap().adjusted < 1e-9, "{lost:?}");
}

#[test]
fn the_clicks_and_the_wait_before_giving_up_are_those_of_the_node_that_was_not_reached() {
    let mut rows = Vec::new();
    for n in 0..4 {
        let mut dropped = step(n, NodeCode::Dropped, 6);
        (dropped.clicks, dropped.wait_ms) = (Some(7), Some(240_000));
        rows.extend([
            Row::Application(application(n)),
            Row::Step(step(n, NodeCode::InviteSent, 0)),
            Row::Step(dropped),
        ]);
    }
    rows.extend([Row::Application(application(5)), Row::Step(step(5, NodeCode::Completed, 3))]);
    let report = ask(Funnel::new(Path::of_interview(year())), &rows);
    let worst = report.worst().unwrap();
    assert_eq!((worst.to, worst.lost.total()), (NodeCode::Completed, 4));
    assert_eq!((worst.clicks.value, worst.wait_ms.value), (Some(7.0), Some(240_000.0)));
}
