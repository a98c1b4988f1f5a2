//! The trie of patterns with wildcards, one level per token.

use std::sync::Arc;

use smallvec::SmallVec;

use super::hash::HashKey;
use super::hash_trie::HashTrie;
use super::interest::{Interest, Member};

/// What a search has found; a subject is seldom wanted through more patterns than fit here without allocating.
pub(super) type Found<'a> = SmallVec<[&'a Interest; 8]>;

/// One node of the trie; the root is the trie.
#[derive(Clone, Default)]
pub(super) struct TokenTrie {
    /// Next nodes by their token.
    literals: HashTrie<Arc<TokenTrie>>,
    /// Next node for `*`.
    any: Option<Arc<TokenTrie>>,
    /// Who wants what ends here.
    here: Interest,
    /// Who wants whatever goes on from here: `>`.
    tail: Interest,
}

impl TokenTrie {
    /// Adds a member to `pattern`, what is left of a whole pattern at this node.
    pub(super) fn insert(&mut self, key: &HashKey, pattern: &str, member: Member) -> bool {
        let (token, rest) = split(pattern);
        let child = match token {
            ">" => return self.tail.insert(member),
            "*" => self.any.get_or_insert_default(),
            _ => self.literals.get_or_insert_with(key.hash32(token.as_bytes()), token, Arc::default),
        };
        let child = Arc::make_mut(child);
        match rest {
            Some(rest) => child.insert(key, rest, member),
            None => child.here.insert(member),
        }
    }

    /// Takes a member from `pattern`, and the nodes that nobody needs any more.
    pub(super) fn remove(&mut self, key: &HashKey, pattern: &str, member: &Member) -> bool {
        let (token, rest) = split(pattern);
        let hash = key.hash32(token.as_bytes());
        let child = match token {
            ">" => return self.tail.remove(member),
            "*" => self.any.as_mut(),
            _ => self.literals.get_mut(hash, token),
        };
        let Some(child) = child.map(Arc::make_mut) else { return false };
        let removed = match rest {
            Some(rest) => child.remove(key, rest, member),
            None => child.here.remove(member),
        };
        if child.is_empty() {
            match token {
                "*" => self.any = None,
                _ => drop(self.literals.remove(hash, token)),
            }
        }
        removed
    }

    /// Adds to `found` everyone who wants `subject`, what is left of a whole subject at this node.
    pub(super) fn find<'a>(&'a self, key: &HashKey, subject: &str, found: &mut Found<'a>) {
        push(&self.tail, found);
        let (token, rest) = split(subject);
        let mut descend = |child: &'a Self| match rest {
            Some(rest) => child.find(key, rest, found),
            None => push(&child.here, found),
        };
        if let Some(child) = &self.any {
            descend(child);
        }
        if !self.literals.is_empty()
            && let Some(child) = self.literals.get(key.hash32(token.as_bytes()), token)
        {
            descend(child);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.any.is_none() && self.here.is_nobody() && self.tail.is_nobody()
    }
}

fn push<'a>(interest: &'a Interest, found: &mut Found<'a>) {
    if !interest.is_nobody() {
        found.push(interest);
    }
}

/// The first token and what follows it.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('.') {
        Some((token, rest)) => (token, Some(rest)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::{LinkId, Mode, SubscriptionId, Target};

    #[test]
    fn nodes_go_with_their_last_member() {
        let key = HashKey::new(1);
        let member = |id| Member {
            mode: Mode::Events,
            group: None,
            target: Target::new(LinkId(1), SubscriptionId(id)),
        };
        let patterns = ["a.*.c", "a.*", "a.>", "a.b.>", ">", "*", "*.*.*", "x.y.z.*"];
        let mut trie = TokenTrie::default();
        for pattern in patterns {
            assert!(trie.insert(&key, pattern, member(1)));
            assert!(trie.insert(&key, pattern, member(2)));
        }
        for pattern in patterns {
            assert!(trie.remove(&key, pattern, &member(1)));
            assert!(!trie.remove(&key, pattern, &member(1)), "{pattern}");
        }
        assert!(!trie.remove(&key, "a.*.c.d", &member(2)));
        assert!(!trie.remove(&key, "q.*", &member(2)));
        for pattern in patterns {
            assert!(!trie.is_empty());
            assert!(trie.remove(&key, pattern, &member(2)));
        }
        assert!(trie.is_empty());
    }
}
