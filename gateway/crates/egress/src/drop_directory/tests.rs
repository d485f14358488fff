#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::Value;

fn directory(settle_ms: u64) -> (tempfile::TempDir, DropDirectory) {
    let folder = tempfile::tempdir().unwrap();
    let drop = DropDirectory::new(folder.path().join("drop"), Duration::from_millis(settle_ms), 3, 100);
    fs::create_dir(folder.path().join("drop")).unwrap();
    (folder, drop)
}

fn put(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) {
    fs::write(folder.path().join("drop").join(name), bytes).unwrap();
}

async fn names(drop: &DropDirectory) -> Vec<String> {
    let listing: Value = serde_json::from_slice(&drop.list().await.unwrap()).unwrap();
    listing.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_listing_is_sorted_and_has_size_and_hash() {
    let (folder, drop) = directory(0);
    put(&folder, "b.csv", b"abc");
    put(&folder, "a 薪酬.csv", b"");
    let listing: Value = serde_json::from_slice(&drop.list().await.unwrap()).unwrap();
    assert_eq!(listing[0]["name"], "a 薪酬.csv");
    assert_eq!(listing[1]["bytes"], 3);
    // FIPS 180-2, appendix B.1.
    assert_eq!(listing[1]["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(listing[1]["modified_ms"].as_u64().unwrap() > 1_600_000_000_000);
    assert_eq!(drop.read("b.csv").await.unwrap(), "abc");
}

#[tokio::test]
async fn folders_dot_files_and_links_are_neither_listed_nor_read_f13() {
    let (folder, drop) = directory(0);
    fs::write(folder.path().join("outside"), b"x").unwrap();
    fs::create_dir(folder.path().join("drop/folder")).unwrap();
    put(&folder, ".hidden", b"x");
    put(&folder, "good", b"x");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../outside", folder.path().join("drop/link")).unwrap();
    assert_eq!(names(&drop).await, ["good"]);
    for name in ["link", "folder", "none"] {
        assert!(matches!(drop.read(name).await, Err(EgressError::Unavailable(_))), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_left_out() {
    let (folder, drop) = directory(3_600_000);
    put(&folder, "fresh", b"x");
    put(&folder, "old", b"x");
    let old = File::options().write(true).open(folder.path().join("drop/old")).unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(7_200)).unwrap();
    assert_eq!(names(&drop).await, ["old"]);
}

#[tokio::test]
async fn a_changed_file_gets_a_new_hash() {
    let (folder, drop) = directory(0);
    put(&folder, "a", b"one");
    let first = drop.list().await.unwrap();
    assert_eq!(first, drop.list().await.unwrap());
    put(&folder, "a", b"two!");
    assert_ne!(first, drop.list().await.unwrap());
}

#[tokio::test]
async fn size_and_number_have_limits_on_both_sides() {
    let (folder, drop) = directory(0);
    put(&folder, "a", &[0; 100]);
    put(&folder, "b", &[0; 101]);
    put(&folder, "c", b"");
    assert_eq!(drop.read("a").await.unwrap().len(), 100);
    assert!(matches!(drop.read("b").await, Err(EgressError::Limit { limit: "response_bytes_max", .. })));
    assert_eq!(names(&drop).await.len(), 3);
    put(&folder, "d", b"");
    assert!(matches!(drop.list().await, Err(EgressError::Limit { limit: "drop_files_max", .. })));
}
