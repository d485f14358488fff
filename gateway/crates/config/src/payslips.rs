//! `[connections.NAME.payslips]`: how far a payslip may be from adding up, and what is done with one that is further.

use renmen_schema::text;
use renmen_schema::types::Decimal;

use crate::section::{Node, Section};

/// The largest tolerance: beyond it nothing would be checked.
const TOLERANCE_MAX: i32 = 1_000_000;

/// What holds for the payslips of a connection, whichever door they come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payslips {
    /// `tolerance`: how far gross less deductions and taxes may be from net, in units of the payslip's currency. Default 0.01.
    pub tolerance: Decimal,
    /// `above`: what is done with a payslip that is further away. Default `quarantine` where the section stands; a connection without
    /// it takes such payslips in and tells of them.
    pub above: AboveTolerance,
}

/// What is done with a payslip that does not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboveTolerance {
    /// `quarantine`: it waits there.
    Quarantine,
    /// `accept`: it is taken in, and the run tells of it.
    Accept,
}

/// Of a connection that says nothing.
impl Default for Payslips {
    fn default() -> Self {
        let cent = Decimal::from_minor(1, 2).unwrap_or(Decimal::ZERO);
        Self { tolerance: cent, above: AboveTolerance::Accept }
    }
}

impl Payslips {
    pub(crate) fn read(mut section: Section<'_>) -> Option<Self> {
        let tolerance = section.get("tolerance").map_or(Some(Self::default().tolerance), |node| tolerance(&node));
        let above = section.get("above").map_or(Some(AboveTolerance::Quarantine), |node| above(&node));
        section.finish();
        Some(Self { tolerance: tolerance?, above: above? })
    }
}

fn tolerance(node: &Node<'_>) -> Option<Decimal> {
    let wanted = text!(
        "write an amount from \"0\" to \"1000000\" in units of the currency, such as \"0.01\"",
        "请写 \"0\" 到 \"1000000\" 的金额，以货币单位计，例如 \"0.01\""
    );
    let read = |text: &str| {
        let amount = Decimal::parse(text).ok();
        let fits = amount.filter(|amount| !amount.is_negative() && *amount <= Decimal::from(TOLERANCE_MAX));
        fits.ok_or_else(|| text!("this is not a tolerance that can be used", "不是可用的容差"))
    };
    node.parsed(read, wanted)
}

fn above(node: &Node<'_>) -> Option<AboveTolerance> {
    let read = |text: &str| match text {
        "quarantine" => Ok(AboveTolerance::Quarantine),
        "accept" => Ok(AboveTolerance::Accept),
        _ => Err(text!("a payslip that does not add up is either kept out or taken in", "不符的工资单只能隔离或接收")),
    };
    node.parsed(read, text!("write \"quarantine\" or \"accept\"", "请写 \"quarantine\" 或 \"accept\""))
}
