//! Public names: `com`, `co.uk`, `github.io`. The owners of the names below one are strangers to each other, so no
//! pattern may span them.
//!
//! The list is Mozilla's Public Suffix List as the crate `psl` compiles it in: published every few days, without dependencies or
//! unsafe code, and built in some seconds, once. A list that is read from a file would have to be shipped and found at run
//! time, and would fail open when it is not there. What a build does not know yet falls under the list's own last rule, that a
//! name's last label is public; what the list itself does not name (buckets of some clouds) no list can tell.

/// How many bytes at the end of a host name are public: 3 of `a.b.com`, 5 of `a.co.uk`. Lower case, ASCII.
pub(crate) fn public_bytes(host: &str) -> usize {
    psl::suffix(host.as_bytes()).map_or(host.len(), |suffix| suffix.as_bytes().len())
}

/// Do names directly below this one belong to different owners?
pub(crate) fn is_public(host: &str) -> bool {
    // `*.compute.example` of the list makes each child public and not the name itself.
    public_bytes(host) == host.len() || public_bytes(&format!("a.{host}")) > host.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_can_register_below_is_public() {
        for host in [
            "com",
            "co.uk",
            "com.cn",
            "github.io",
            "s3.amazonaws.com",
            "compute.amazonaws.com",
            "kobe.jp",
            "xn--55qx5d.cn",
            "internal",
            "localhost",
        ] {
            assert!(is_public(host), "{host}");
        }
        for host in [
            "example.com",
            "dingtalk.com",
            "feishu.cn",
            "example.co.uk",
            "acme.github.io",
            "corp.internal",
            "city.kobe.jp",
        ] {
            assert!(!is_public(host), "{host}");
        }
    }

    #[test]
    fn the_public_end_of_a_name_is_found() {
        assert_eq!(public_bytes("a.b.example.com"), "com".len());
        assert_eq!(public_bytes("stranger.s3.amazonaws.com"), "s3.amazonaws.com".len());
        assert_eq!(public_bytes("erp.corp.test"), "test".len());
    }
}
