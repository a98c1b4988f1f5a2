//! The file of orders, each with what is to become of it.

use mesh_shop::orders::Reason;
use mesh_shop::{Card, Line, Lines, OrderId, Sku};

/// Most orders in a file.
pub(crate) const ORDERS: usize = 1_000_000;
/// The orders that are placed unless another file is named.
pub(crate) const ORDERS_DEFAULT: &str = include_str!("../data/orders.csv");

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The order's number within the file.
    pub(crate) id: String,
    /// The card to charge.
    pub(crate) card: Card,
    /// What is wanted.
    pub(crate) lines: Lines,
    /// What is to become of it.
    pub(crate) expected: Expected,
}

/// What is to become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It is placed.
    Placed,
    /// It is rejected for this reason.
    Rejected(Reason),
}

/// What is wrong with a file of orders, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(crate) struct InvalidOrders {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// Reads lines of `id,card,sku:pieces sku:pieces …,expected`, where what is expected is `placed` or the name of a
/// [`Reason`]. Empty lines and lines that start with `#` are skipped.
///
/// # Errors
/// The first line that says something else, or is one order too many.
pub(crate) fn parse(text: &str) -> Result<Vec<Wish>, InvalidOrders> {
    let mut wishes = Vec::new();
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if wishes.len() == ORDERS {
            return Err(InvalidOrders { line, reason: format!("more than {ORDERS} orders") });
        }
        wishes.push(wish(text).map_err(|reason| InvalidOrders { line, reason })?);
    }
    Ok(wishes)
}

fn wish(text: &str) -> Result<Wish, String> {
    let [id, card, lines, expected] = text.split(',').map(str::trim).collect::<Vec<_>>()[..] else {
        return Err("four fields are wanted: id,card,lines,expected".to_owned());
    };
    let id = OrderId::try_from(id.to_owned()).map_err(|error| format!("{id:?}: {error}"))?;
    let lines = lines.split_whitespace().map(piece).collect::<Result<Vec<Line>, String>>()?;
    Ok(Wish {
        id: id.as_str().to_owned(),
        card: Card::try_from(card.to_owned()).map_err(|error| error.to_string())?,
        lines: Lines::try_from(lines).map_err(|error| error.to_string())?,
        expected: expectation(expected)?,
    })
}

fn piece(text: &str) -> Result<Line, String> {
    let wanted = || format!("{text:?} is not sku:pieces");
    let (sku, quantity) = text.split_once(':').ok_or_else(wanted)?;
    let sku = Sku::try_from(sku.to_owned()).map_err(|error| format!("{sku:?}: {error}"))?;
    Ok(Line { sku, quantity: quantity.parse().map_err(|_| wanted())? })
}

fn expectation(text: &str) -> Result<Expected, String> {
    if text == "placed" {
        return Ok(Expected::Placed);
    }
    let reason = Reason::ALL.into_iter().find(|reason| reason.name() == text);
    reason.map(Expected::Rejected).ok_or_else(|| format!("{text:?} is neither \"placed\" nor a reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_comes_along_has_orders_of_every_sort() {
        let wishes = parse(ORDERS_DEFAULT).unwrap();
        assert_eq!(wishes.len(), 200);
        for expected in [
            Expected::Placed,
            Expected::Rejected(Reason::CardDeclined),
            Expected::Rejected(Reason::OverLimit),
            Expected::Rejected(Reason::OutOfStock),
            Expected::Rejected(Reason::UnknownSku),
            Expected::Rejected(Reason::PaymentTimeout),
        ] {
            assert!(wishes.iter().any(|wish| wish.expected == expected), "{expected:?} is missing");
        }
    }

    #[test]
    fn mistakes_are_named_by_line() {
        for (text, line, reason) in [
            ("a,4242424242424242,mug:1", 1, "four fields"),
            ("# c\n\na b,4242424242424242,mug:1,placed", 3, "identifier"),
            ("a,4242424242424241,mug:1,placed", 1, "check digit"),
            ("a,4242424242424242,mug,placed", 1, "sku:pieces"),
            ("a,4242424242424242,mug:x,placed", 1, "sku:pieces"),
            ("a,4242424242424242,mug:0,placed", 1, "pieces"),
            ("a,4242424242424242,,placed", 1, "lines"),
            ("a,4242424242424242,mug:1,gone", 1, "\"gone\""),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}");
            assert!(error.reason.contains(reason), "{text:?}: {error}");
        }
    }
}
