//! Orders whose deadline passes without an interview: nobody came, though no time was agreed.

use renmen_schema::code::{InterviewStatus, NodeCode, NotificationStatus, OrderStatus};
use renmen_schema::entity::{
    Application, Interview, InterviewOrder, Notification, NotificationDue, ProcessNode, Subject,
};
use renmen_schema::id::TenantId;
use renmen_schema::types::Coded;
use renmen_store::{Parent, Store};

use super::{WatchOptions, is_recent};
use crate::children::Shelf;
use crate::dossier::{self, Read};
use crate::plan::Plan;
use crate::{InterviewError, author, subject};

/// What is to be done about an order now, and when to look again.
pub(crate) async fn plan(
    shelf: Shelf<'_>,
    key: &Parent,
    options: &WatchOptions,
    now_ms: i64,
) -> Result<Plan, InterviewError> {
    let (store, tenant) = (shelf.store, shelf.tenant);
    let mut plan = Plan::default();
    let Some(order) = dossier::find::<InterviewOrder>(store, tenant, key).await? else { return Ok(plan) };
    let Some(deadline) = order.body.deadline.filter(|_| is_open(order.body.status.code)) else { return Ok(plan) };
    let due_ms = deadline.epoch_ms();
    if now_ms < due_ms {
        plan.look_at(due_ms);
        return Ok(plan);
    }
    if !is_recent(due_ms, options, now_ms) {
        return Ok(plan);
    }
    let mut began = false;
    let looked = shelf.each(key, shelf.sources.of(key), &["interview"], |row| {
        let waits = |status| matches!(status, InterviewStatus::Scheduled | InterviewStatus::Confirmed);
        began |= Read::<Interview>::of(row).is_some_and(|interview| !waits(interview.body.status.code));
        !began
    });
    if !looked.await? {
        let max = shelf.children_max;
        return Err(InterviewError::Fault(format!(
            "an order of connection `{}` has more than {max} interviews: raise `interview.children_max`",
            key.connection
        )));
    }
    let name = format!("deadline/{}/{}/{due_ms}", key.connection, key.external_id);
    if began || is_written(store, tenant, &name).await? {
        return Ok(plan);
    }
    let application = subject::absolute(&order.body.application, &order.row.connection);
    let of_subject = Subject { application: Some(application), ..Subject::new() };
    let mut node = ProcessNode::new(of_subject, Coded::new(NodeCode::NoShow), deadline);
    node.actor = Some("SYSTEM".into());
    plan.create(name.clone(), &node, vec![author::cause(&order.row)])?;
    let channel = Coded::new(options.channel);
    let mut message =
        Notification::new("interview_deadline_missed".into(), channel, Coded::new(NotificationStatus::Scheduled));
    message.due = Some(NotificationDue { relative_to: Some(Coded::new(NodeCode::NoShow)), ..NotificationDue::new(0) });
    message.candidate = candidate(store, tenant, &order).await?;
    plan.create(name, &message, vec![author::cause(&order.row)])?;
    metrics::counter!("renmen_interview_no_show_total").increment(1);
    Ok(plan)
}

fn is_open(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Requested | OrderStatus::Acknowledged | OrderStatus::Invited | OrderStatus::Scheduled)
}

async fn is_written(store: &dyn Store, tenant: &TenantId, name: &str) -> Result<bool, InterviewError> {
    let key = Parent { connection: author::built_in(), entity: "process_node".into(), external_id: name.to_owned() };
    Ok(dossier::find::<ProcessNode>(store, tenant, &key).await?.is_some())
}

async fn candidate(
    store: &dyn Store,
    tenant: &TenantId,
    order: &Read<InterviewOrder>,
) -> Result<Option<renmen_schema::types::Ref<renmen_schema::entity::Candidate>>, InterviewError> {
    for parent in subject::parents(store, tenant, &order.row).await? {
        if parent.entity == "application"
            && let Some(application) = dossier::find::<Application>(store, tenant, &parent).await?
        {
            return Ok(Some(subject::absolute(&application.body.candidate, &application.row.connection)));
        }
    }
    Ok(None)
}
