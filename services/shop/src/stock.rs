//! The file that says what there is to sell.

use std::collections::BTreeMap;

use crate::money::Cents;
use crate::text::Sku;

/// Most articles.
pub const ARTICLES: usize = 100_000;
/// What is in stock unless another file is named.
pub const STOCK_DEFAULT: &str = include_str!("../data/stock.csv");

/// Price and pieces of one article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Article {
    /// Price of one piece.
    pub price: Cents,
    /// Pieces in stock.
    pub units: u64,
}

/// What is wrong with a stock file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct InvalidStock {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads lines of `sku,price in cents,pieces`. Empty lines and lines that start with `#` are skipped.
///
/// # Errors
/// The first line that says something else, names an article twice, or is one article too many.
pub fn parse(text: &str) -> Result<BTreeMap<Sku, Article>, InvalidStock> {
    let mut stock = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let invalid = |reason: String| InvalidStock { line, reason };
        let (sku, article) = article(text).map_err(invalid)?;
        if stock.len() == ARTICLES {
            return Err(invalid(format!("more than {ARTICLES} articles")));
        }
        if stock.insert(sku.clone(), article).is_some() {
            return Err(invalid(format!("{sku} stands there twice")));
        }
    }
    Ok(stock)
}

fn article(text: &str) -> Result<(Sku, Article), String> {
    let [sku, price, units] = text.split(',').map(str::trim).collect::<Vec<_>>()[..] else {
        return Err("three fields are wanted: sku,price in cents,pieces".to_owned());
    };
    let sku = Sku::try_from(sku.to_owned()).map_err(|error| format!("{sku:?}: {error}"))?;
    let number = |field: &str| field.parse::<u64>().map_err(|error| format!("{field:?}: {error}"));
    Ok((sku, Article { price: Cents(number(price)?), units: number(units)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_comes_along_is_well_formed() {
        let stock = parse(STOCK_DEFAULT).unwrap();
        assert!(stock.len() >= 10);
        assert!(stock.values().any(|article| article.units == 0), "something has to be sold out");
    }

    #[test]
    fn mistakes_are_named_by_line() {
        for (text, line, reason) in [
            ("a,1", 1, "three fields"),
            ("# c\n\na,1,2\na,1,2", 4, "twice"),
            ("a,x,2", 1, "\"x\""),
            ("a b,1,2", 1, "identifier"),
            ("a,1,-2", 1, "\"-2\""),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}");
            assert!(error.reason.contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn articles_are_bounded() {
        let mut text: String = (0..ARTICLES).map(|number| format!("a{number},1,1\n")).collect();
        assert_eq!(parse(&text).map(|stock| stock.len()), Ok(ARTICLES));
        text.push_str("z,1,1\n");
        assert_eq!(parse(&text).map_err(|error| error.line), Err(ARTICLES + 1));
    }
}
