//! The known key that somebody may have meant.

/// The key that is nearest to `given`, if one is near at all.
pub(super) fn to<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|key| (distance(given, key), key))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, key)| *distance <= (key.len() / 3).max(2))
        .map(|(_, key)| key)
}

/// How far apart two keys are. Somebody may have written a table's name for its first key, a key without its table, or
/// one under another table: these count as near.
fn distance(given: &str, key: &str) -> usize {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let table = key.split('.').next().unwrap_or_default();
    let whole = strsim::damerau_levenshtein(given, key);
    let by_name = 1 + strsim::damerau_levenshtein(&last(given), &last(key));
    let by_table = 2 + strsim::damerau_levenshtein(given, table);
    whole.min(by_name).min(by_table)
}
