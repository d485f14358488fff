//! Endpoints of outgoing events.

use renmen_schema::id::ConnectionName;
use renmen_store::EndpointOff;

use crate::bed::on_both;
use crate::puller::{key_of, tenant};

fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

on_both! {
    async fn an_endpoint_is_kept_replaced_and_taken_away(bed: &Bed) {
        let store = &bed.store;
        store.put_endpoint(&tenant(), &name("hr"), "{\"a\":1}".into(), 5).await.unwrap();
        store.put_endpoint(&tenant(), &name("hr"), "{\"a\":2}".into(), 6).await.unwrap();
        let found = store.endpoint(&tenant(), &name("hr")).await.unwrap().unwrap();
        assert_eq!((found.definition.as_deref(), found.off, found.updated_at_ms), (Some("{\"a\":2}"), None, 6));
        let other = key_of("globex", "s").tenant;
        assert!(store.endpoint(&other, &name("hr")).await.unwrap().is_none());
        assert!(!store.drop_endpoint(&other, &name("hr")).await.unwrap());
        assert!(store.drop_endpoint(&tenant(), &name("hr")).await.unwrap());
        assert!(!store.drop_endpoint(&tenant(), &name("hr")).await.unwrap());
        assert!(store.endpoints().await.unwrap().is_empty());
    }

    async fn one_of_the_file_is_switched_off_and_on_without_a_definition(bed: &Bed) {
        let store = &bed.store;
        let off = EndpointOff { reason: "410".into(), url: "https://a.test/".into(), since_ms: 7 };
        store.switch_endpoint(&tenant(), &name("hr"), Some(off.clone()), 7).await.unwrap();
        let found = store.endpoint(&tenant(), &name("hr")).await.unwrap().unwrap();
        assert_eq!((found.definition, found.off), (None, Some(off.clone())));
        // A new definition does not switch it on by itself.
        store.put_endpoint(&tenant(), &name("hr"), "{}".into(), 8).await.unwrap();
        assert_eq!(store.endpoint(&tenant(), &name("hr")).await.unwrap().unwrap().off, Some(off));
        store.switch_endpoint(&tenant(), &name("hr"), None, 9).await.unwrap();
        let found = store.endpoints().await.unwrap();
        assert_eq!((found.len(), &found[0].off, found[0].definition.as_deref()), (1, &None, Some("{}")));
    }
}
