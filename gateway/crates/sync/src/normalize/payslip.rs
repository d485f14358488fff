//! Does a payslip add up? What is further off than the operator tolerates waits in quarantine, or comes in as he says; what
//! cannot be verified comes in and is counted.

use renmen_schema::entity::PayrollRecord;
use renmen_schema::text;
use renmen_schema::types::Decimal;

use super::envelope::Fault;

/// How far a payslip may be from adding up, and what is done with one that is further.
#[derive(Debug, Clone, Copy)]
pub struct PayslipRule {
    /// In units of the payslip's currency, either way.
    pub tolerance: Decimal,
    /// Take it in all the same, and count it.
    pub accept: bool,
}

impl Default for PayslipRule {
    fn default() -> Self {
        Self { tolerance: Decimal::ZERO, accept: true }
    }
}

/// What the payslips of a page came to. One that is byte for byte what the store holds is not verified again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Payslips {
    /// Within the tolerance.
    pub(crate) add_up: u64,
    /// Beyond it, and taken in because the operator says so.
    pub(crate) accepted: u64,
    /// Beyond it, and kept out.
    pub(crate) refused: u64,
    /// Without lines to verify by.
    pub(crate) unchecked: u64,
}

impl Payslips {
    /// Verifies one; its body is canonical, so it parses.
    pub(super) fn verify(&mut self, body: &[u8], rule: PayslipRule) -> Result<(), Fault> {
        let difference = serde_json::from_slice::<PayrollRecord>(body).ok().and_then(|slip| slip.difference());
        let Some(difference) = difference else {
            self.unchecked += 1;
            return Ok(());
        };
        if difference.value().abs() <= rule.tolerance.value() {
            self.add_up += 1;
            return Ok(());
        }
        if rule.accept {
            self.accepted += 1;
            return Ok(());
        }
        self.refused += 1;
        Err(Fault::new(
            "payslip_difference",
            text!(
                "/net: the payslip does not add up: gross less its lines of kind DEDUCTION and TAX is further from net than \
                 payslips.tolerance = {} of the connection. Correct the payslip or the mapping of its lines, or widen \
                 `payslips.tolerance`; `payslips.above = \"accept\"` takes such payslips in",
                "/net：工资单不符：gross 减去种类为 DEDUCTION 与 TAX 的各行后，与 net 相差超过该连接的 payslips.tolerance = {}。\
                 请更正工资单或其各行的映射，或放宽 `payslips.tolerance`；`payslips.above = \"accept\"` 会接收这样的工资单",
                rule.tolerance
            ),
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_payslip_is_counted_by_how_it_adds_up() {
        let body = |net: &str, lines: bool| {
            let cny = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
            let line =
                json!({ "kind": "TAX", "code": { "code": "OTHER" }, "name": { "en": "t" }, "amount": cny("10") });
            let mut body = json!({
                "run": { "external": { "value": "r" } }, "employee": { "external": { "value": "e" } },
                "gross": cny("100"), "net": cny(net),
            });
            if lines {
                body["lines"] = json!([line]);
            }
            body.to_string().into_bytes()
        };
        let mut counted = Payslips::default();
        let rule = |accept| PayslipRule { tolerance: Decimal::parse("0.05").unwrap(), accept };
        for (net, lines, accept, taken) in [
            ("90.05", true, false, true),
            ("89.95", true, false, true),
            ("90.06", true, false, false),
            ("89.94", true, false, false),
            ("0", true, true, true),
            ("0", false, false, true),
        ] {
            assert_eq!(counted.verify(&body(net, lines), rule(accept)).is_ok(), taken, "{net}");
        }
        assert_eq!(counted, Payslips { add_up: 2, accepted: 1, refused: 2, unchecked: 1 });
    }
}
