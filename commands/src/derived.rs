//! Ids that follow from what they are for: whoever derives one again gets the same, so a repeat is recognised.

use domain::ids::CommandId;
use uuid::Uuid;

/// The namespace of every id that the ledger derives (UUID v5, RFC 9562). Never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_8c0e_52b7_5a43_9e0c_3d1b_7a94_c2f5);

/// The id for a purpose and the words that tell one case from another.
pub fn id(purpose: &str, words: &[&str]) -> Uuid {
    // Each word goes in with its length, so that no two lists of words read alike.
    let mut name = Vec::new();
    for word in [purpose].iter().chain(words) {
        name.extend_from_slice(&(word.len() as u64).to_be_bytes());
        name.extend_from_slice(word.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// The command id for a purpose and the words that tell one case from another.
pub fn command_id(purpose: &str, words: &[&str]) -> CommandId {
    CommandId(id(purpose, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_from_its_words_for_ever() {
        // Stored in logs: a change would make repeats look new.
        let pinned = id("intake", &["kafka", "m-1"]).to_string();
        assert_eq!(pinned, "1a99bdf1-cd28-5a90-9806-2f0e4e925859");
        let all = [
            id("intake", &["ab", "c"]),
            id("intake", &["a", "bc"]),
            id("intake", &["abc"]),
            id("intake", &["ab", "c", ""]),
            id("intakeab", &["c"]),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[..n].contains(one), "{n}");
        }
    }
}
