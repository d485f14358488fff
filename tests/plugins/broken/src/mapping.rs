//! The mapping, with the faults that mappings have.

use renmen_plugin::Unfit;
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::{Decimal, Ext, ExtField, Instant, LocalDate};

use crate::Config;
use crate::record::Staff;

pub(crate) fn employee(config: &Config, row: Staff<'_>) -> Result<Employee, Unfit> {
    let cents = row.salary.amount.as_f64().unwrap_or_default() * 100.0;
    let (currency, created) = (row.salary.currency, Instant::parse(row.created_at).ok());
    let is_known = ["active", "terminated"].contains(&row.status.as_ref());
    let quoted = row.display_name.clone();
    let mut employee = match row.employee() {
        Err(unfit) if config.is("quotes_people") => return Err(Unfit::new(format!("{quoted}: {}", unfit.reason))),
        employee => employee?,
    };
    if config.is("float_money") {
        // Cut off, as by a connector that counts in cents.
        let salary = Decimal::from_minor(cents as i64, 2).map_err(|e| Unfit::field("salary/amount", e))?;
        let mut ext = Ext::default().with("staff_api", "salary_amount", ExtField::decimal(salary)).with(
            "staff_api",
            "salary_currency",
            ExtField::code(currency),
        );
        if let Some(created) = created {
            ext = ext.with("staff_api", "created_at", ExtField::instant(created));
        }
        employee.ext = Some(ext);
    }
    let Some(work) = &mut employee.work else { return Ok(employee) };
    if config.is("utc_dates") {
        // Midnight in China is the evening before in Greenwich.
        let day = work.hire_date.and_then(|day| day.civil().yesterday().ok());
        work.hire_date = day.and_then(|day| LocalDate::of(day.year(), day.month(), day.day()).ok());
    }
    if config.is("drops_unknown_codes") && !is_known {
        work.status = None;
    }
    Ok(employee)
}
