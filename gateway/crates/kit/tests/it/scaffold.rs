//! What `renmen plugin new` leaves in a folder.

use renmen_kit::scaffold::{PluginName, Scaffold, Shape};

#[test]
fn what_is_made_in_the_folder_and_is_no_source_stays_out_of_git() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("acme-hr");
    let (name, shape) = (PluginName::new("acme-hr").unwrap(), Shape::default());
    Scaffold { name, shape, folder: folder.clone(), sdk: None }.write().unwrap();
    let ignored = std::fs::read_to_string(folder.join(".gitignore")).unwrap();
    for made in ["/target", "/*.wasm", "*.key", "/fixtures/.disguise-key", "/.renmen"] {
        assert!(ignored.lines().any(|line| line == made), "{made}: {ignored}");
    }
}
