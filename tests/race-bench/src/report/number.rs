//! Numbers as a person reads them.

/// Three significant digits, with k or M above a thousand or a million.
pub(crate) fn short(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        big if big >= 999_500.0 => (value / 1e6, " M"),
        big if big >= 999.5 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    format!("{scaled:.digits$}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn three_digits_and_a_suffix() {
        let cases = [
            (0.0, "0.00"),
            (9.994, "9.99"),
            (9.996, "10.0"),
            (99.96, "100"),
            (138.4, "138"),
            (999.4, "999"),
            (999.6, "1.00 k"),
            (70_812.0, "70.8 k"),
            (999_600.0, "1.00 M"),
            (2_071_000.0, "2.07 M"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text, "{value}");
        }
    }
}
