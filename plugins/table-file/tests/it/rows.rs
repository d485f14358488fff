//! Rows that are not whole: too long, too short, unclosed, cut, or there twice.

use serde_json::json;

use crate::world::{ids, payload, refused, rejects, run_slips, slips, slips_with};

const HEADER: &str = "期间,工号,应发,实发,奖金\n";

fn csv(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

#[test]
fn a_row_with_more_fields_than_the_header_is_refused_with_both_numbers_and_no_value() {
    let run = run_slips(&slips(), csv("2025-03,E1,12,345.60,11,000.00,500\n2025-03,E2,9000,8000,500\n"));
    assert_eq!(ids(&run), ["2025-03|E2"]);
    let [(place, reason)] = rejects(&run)[..] else { panic!("{:?}", rejects(&run)) };
    assert_eq!(place, "csv!2");
    assert!(reason.starts_with("7 fields under 5 titles"), "{reason}");
    assert!(!reason.contains("345"), "{reason}");
}

#[test]
fn a_row_with_fewer_fields_than_the_header_is_refused_and_the_next_one_is_read() {
    let run = run_slips(&slips(), csv("2025-03,E1,9000\n2025-03,E2,9000,8000,500\n"));
    assert_eq!(ids(&run), ["2025-03|E2"]);
    assert!(rejects(&run)[0].1.starts_with("3 fields under 5 titles"), "{:?}", rejects(&run));
}

#[test]
fn empty_fields_behind_the_header_and_a_header_with_empty_titles_are_fine() {
    let run = run_slips(&slips(), csv("2025-03,E1,9000,8000,500,,\n2025-03,E2,9000,8000,500, \n"));
    assert_eq!((ids(&run).len(), run.rejects.len()), (2, 0));
    let run = run_slips(&slips(), "期间,工号,应发,实发,奖金,,\n2025-03,E1,9000,8000,500\n2025-03,E2,9000,8000,500,,\n");
    assert_eq!((ids(&run).len(), run.rejects.len()), (2, 0));
}

#[test]
fn a_quote_that_is_never_closed_refuses_the_file_with_the_row_where_it_opened() {
    let reason =
        refused(&slips(), "pay", csv("2025-03,E1,9000,8000,500\n2025-03,\"E2,9000,8000,500\n2025-03,E3,1,1,1\n"));
    assert!(reason.starts_with("pay: row 3: a quote that opens here is never closed"), "{reason}");
    assert!(!reason.contains("E2"), "{reason}");
}

#[test]
fn a_quote_that_closes_within_a_value_refuses_the_file() {
    // The quote that is missing in row 2 is taken from row 3: what lies between is one field.
    let reason = refused(&slips(), "pay", csv("2025-03,\"E1,9000,8000,500\n2025-03,\"E2\",9000,8000,500\n"));
    assert!(reason.starts_with("pay: row 2: text behind a closing quote"), "{reason}");
}

#[test]
fn quotes_that_are_whole_are_read_with_their_line_breaks_separators_and_doubled_quotes() {
    let run = run_slips(
        &slips(),
        csv("2025-03,\"E\"\"1\",\"9,000.00\", 8000 ,500\r\n2025-03,\"E\n2\" ,1,1,1\n2025-03,5\" x,1,1,1\n"),
    );
    assert_eq!(ids(&run), ["2025-03|E\"1", "2025-03|5\" x"]);
    assert!(rejects(&run)[0].1.contains("line breaks"), "{:?}", rejects(&run));
    assert_eq!(payload(&run, 0)["gross"]["amount"], "9000");
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_row_is_refused_and_one_without_a_last_line_end_is_not() {
    let reason = refused(&slips(), "pay", csv("2025-03,E1,9000,8000,500\n2025-03,E2,90"));
    assert!(reason.starts_with("pay: ends in the middle of row 3, which has 3 of 5 fields"), "{reason}");
    let run = run_slips(&slips(), csv("2025-03,E1,9000,8000,500\n2025-03,E2,9000,8000,500"));
    assert_eq!(ids(&run).len(), 2);
    let totals = slips_with(None, "total_rows", json!(["合计"]));
    assert_eq!(ids(&run_slips(&totals, csv("2025-03,E1,9000,8000,500\n合计,,9000"))).len(), 1, "a total may be short");
}

#[test]
fn a_key_that_stands_twice_in_a_file_keeps_both_rows_out_with_both_places() {
    let file = csv("2025-03,E1,6000,5500,0\n2025-03,E2,100,90,0\n2025-03,E1,4000,3800,0\n");
    let run = run_slips(&slips(), file.clone());
    assert_eq!(ids(&run), ["2025-03|E2"]);
    let found = rejects(&run);
    assert_eq!((found[0].0, found[1].0), ("csv!2", "csv!4"));
    assert!(found[0].1.contains("2 rows of the file, the others at csv!4"), "{}", found[0].1);
    assert!(found[1].1.contains("the others at csv!2"), "{}", found[1].1);
    assert!(!found[0].1.contains("E1"), "{}", found[0].1);
    let apart = slips_with(None, "key", json!(["期间", "工号", "应发"]));
    assert_eq!(run_slips(&apart, file).records.len(), 3, "a key that tells them apart");
}

#[test]
fn rows_of_one_key_are_found_across_pages() {
    let drop = crate::world::Drop::default().with("pay", csv("2025-03,E1,1,1,0\n2025-03,E2,1,1,0\n2025-03,E1,2,2,0\n"));
    let (mut cursor, mut records, mut refused) = (None, 0, 0);
    for _ in 0..10 {
        let page = drop.page(&slips(), "payroll_records", cursor, 1).unwrap();
        (records, refused, cursor) = (records + page.records.len(), refused + page.rejects.len(), page.next);
        if !page.has_more {
            break;
        }
    }
    assert_eq!((records, refused), (1, 2));
}
