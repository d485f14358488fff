#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn exchange(headers: Vec<(String, String)>, request_body: Option<Vec<u8>>, body: Vec<u8>, at_ms: i64) -> Exchange {
    Exchange {
        method: "POST".into(),
        url: "https://a.test/员工?x=1".into(),
        request_headers: headers.clone(),
        request_body: request_body.map(Bytes::from),
        response: Response { status: 207, headers, body: body.into() },
        at_ms,
        took_ms: 12,
    }
}

proptest! {
    #[test]
    fn whatever_is_packed_comes_back(
        headers in prop::collection::vec((".{0,20}", ".{0,20}"), 0..5),
        request_body in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
        body in prop::collection::vec(any::<u8>(), 0..2_000),
        at_ms in any::<i64>(),
    ) {
        let before = exchange(headers, request_body, body, at_ms);
        let packed = pack(&before);
        prop_assert_eq!(format!("{:?}", unpack(&packed).unwrap()), format!("{before:?}"));
        prop_assert!(unpacked_bytes(&packed) >= before.response.body.len() as u64);
        prop_assert!(unpacked_bytes(&packed) <= before.response.body.len() as u64 + 1_000);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), versioned: bool) {
        let mut bytes = bytes;
        if versioned {
            bytes.insert(0, VERSION);
        }
        let _ = unpack_within(&bytes, 1_000_000);
        let _ = unpacked_bytes(&bytes);
    }
}

#[test]
fn a_page_of_json_gets_small_and_a_bomb_is_refused_by_its_stated_size() {
    let page = br#"{"userid":"u0001","name":"somebody","dept":[1,2,3]},"#.repeat(10_000);
    let packed = pack(&exchange(vec![], None, page.clone(), 1));
    assert!(packed.len() * 20 < page.len(), "{}", packed.len());
    let stated = unpack_within(&packed, page.len() as u64 - 1).unwrap_err();
    assert!(matches!(stated, UnpackError::TooLarge { .. }));
    assert!(unpack_within(&packed, page.len() as u64 + 1_000).is_ok());
}

#[test]
fn a_lie_about_the_size_is_found() {
    let packed = compress(&vec![0; 1_000_000]);
    assert_eq!(decompress(&packed, 1_000), Err(UnpackError::Damaged("a frame cannot be unpacked")));
    assert_eq!(decompress(&packed, 1_000_001), Err(UnpackError::Damaged("a frame cannot be unpacked")));
}

#[test]
fn every_cut_and_every_flipped_byte_of_the_body_is_found() {
    let packed =
        pack(&exchange(vec![("a".into(), "b".into())], Some(b"q".to_vec()), b"a body worth keeping".to_vec(), 7));
    for end in 0..packed.len() {
        assert!(unpack(&packed[..end]).is_err(), "{end}");
    }
    for at in packed.len() - 20..packed.len() {
        let mut flipped = packed.clone();
        flipped[at] ^= 0x10;
        assert!(unpack(&flipped).is_err(), "{at}");
    }
    assert_eq!(unpack(&[9, 0]).unwrap_err(), UnpackError::Version(9));
}

#[test]
fn equal_bodies_are_packed_alike_from_where_they_begin() {
    let body = b"[{\"id\":1}]".repeat(500);
    let one = pack(&exchange(vec![("a".into(), "b".into())], None, body.clone(), 1));
    let other = pack(&exchange(vec![], Some(b"asked".to_vec()), body, 2));
    let (at, other_at) = (body_at(&one).unwrap(), body_at(&other).unwrap());
    assert_eq!(one[at..], other[other_at..]);
    assert_ne!(one[..at], other[..other_at]);
    let together = [&other[..other_at], &one[at..]].concat();
    assert_eq!(format!("{:?}", unpack(&together).unwrap()), format!("{:?}", unpack(&other).unwrap()));
    for end in 0..at {
        assert_eq!(body_at(&one[..end]), None, "{end}");
    }
    assert_eq!(body_at(b"\x02abc"), None, "another format");
}
