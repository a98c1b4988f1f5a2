//! What an error of a call means for an order.

use mesh_client::{Error, ErrorKind};

use super::outcome::Reason;
use super::saga::{Action, Fault};

/// Refusals of the inventory and of payment that mean something of their own, by the numbers of their errors.
const REASONS: [(u32, Reason); 5] = [
    (201, Reason::UnknownSku),
    (202, Reason::OutOfStock),
    (301, Reason::CardDeclined),
    (302, Reason::CardDeclined),
    (303, Reason::OverLimit),
];
/// Refusals that may turn out otherwise when tried again: too many reservations, the bank is not available.
const RETRYABLE: [u32; 2] = [207, 304];

/// Judges the error of a call by its kind: did the other side do nothing, or is that not known?
pub(super) fn of_error(action: Action, error: &Error) -> Fault {
    let refused = |reason: Option<Reason>, detail: &str| Fault::Refused {
        reason: reason.unwrap_or(match action {
            Action::Charge(_) | Action::Void => Reason::PaymentRefused,
            _ => Reason::ReservationRefused,
        }),
        detail: detail.to_owned(),
    };
    if let Some(failure) = error.failure() {
        return of_failure(failure.code()).map_or_else(
            || Fault::Unavailable(failure.message().to_owned()),
            |reason| refused(reason, failure.message()),
        );
    }
    match error.kind() {
        ErrorKind::NoResponders | ErrorKind::Busy => Fault::Unavailable(error.to_string()),
        ErrorKind::Invalid | ErrorKind::Limit | ErrorKind::Refused | ErrorKind::Unauthorized => {
            refused(None, &error.to_string())
        }
        _ => Fault::Lost(error.to_string()),
    }
}

/// `None` for what may be tried again, else the reason that a number stands for, where it stands for one.
fn of_failure(code: u32) -> Option<Option<Reason>> {
    if RETRYABLE.contains(&code) {
        return None;
    }
    Some(REASONS.iter().find(|(number, _)| *number == code).map(|(_, reason)| *reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sku, inventory, payment};

    /// The numbers above are those of the services, and what the services call retryable is tried again.
    #[test]
    fn numbers_mean_what_the_services_mean() {
        let sku = || Sku::try_from("a".to_owned()).unwrap();
        let inventory = [
            (inventory::Error::UnknownSku { sku: sku() }, Some(Reason::UnknownSku)),
            (inventory::Error::OutOfStock { sku: sku(), wanted: 2, available: 1 }, Some(Reason::OutOfStock)),
            (inventory::Error::TooDear, None),
            (inventory::Error::Closed, None),
            (inventory::Error::NotHeld, None),
            (inventory::Error::KeyReused, None),
            (inventory::Error::Full, None),
        ]
        .map(|(error, reason)| (error.code(), error.is_retryable(), reason));
        let payment = [
            (payment::Error::Declined, Some(Reason::CardDeclined)),
            (payment::Error::NoFunds, Some(Reason::CardDeclined)),
            (payment::Error::OverLimit, Some(Reason::OverLimit)),
            (payment::Error::Unavailable, None),
            (payment::Error::Voided, None),
            (payment::Error::KeyReused, None),
        ]
        .map(|(error, reason)| (error.code(), error.is_retryable(), reason));
        for (code, retryable, reason) in inventory.into_iter().chain(payment) {
            let expected = if retryable { None } else { Some(reason) };
            assert_eq!(of_failure(code), expected, "number {code}");
        }
    }
}
