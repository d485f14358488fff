//! A company that hires: a job with its pay band, applications in its HR system, interviews at a vendor.

use std::sync::Arc;

use renmen_interview::{Asked, BandAsk, BandDesk, BandOptions, BandWork, InterviewError, Sources, Verdict};
use renmen_schema::code::{BandStatus, BandVisibility, InterviewKind, InterviewStatus, JobKind};
use renmen_schema::entity::{Application, BandKey, Interview, Job, PayBand};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Coded, ExternalId, Localized, Money, PayInterval, PayRange, Ref};
use tokio_util::sync::CancellationToken;

use crate::bed::{Bed, tenant, vendor};
use crate::vendor::application_of;

pub(crate) fn named(name: &str) -> ConnectionName {
    ConnectionName::new(name).unwrap()
}

/// The band of `研发`, `P4`, in CNY a month.
pub(crate) fn band(min: &str, max: &str) -> PayBand {
    let key = BandKey { job_family: Some("研发".into()), level: Some("P4".into()), ..BandKey::new() };
    let range = PayRange::between(min, max, "CNY", PayInterval::Month).unwrap();
    PayBand::new(key, range, BandStatus::Active, BandVisibility::VendorMatchOnly)
}

pub(crate) fn job(family: &str) -> Job {
    let level = Some("P4".to_owned());
    Job {
        job_family: Some(family.into()),
        min_level: level.clone(),
        max_level: level,
        ..Job::new(JobKind::Job.into(), Localized::zh_cn("工程师"))
    }
}

/// A vendor's interview of an application in the HR system.
pub(crate) fn interview(application: &str, status: InterviewStatus) -> Interview {
    Interview::new(at_hr(application), InterviewKind::Ai, Coded::new(status))
}

pub(crate) fn at_hr(application: &str) -> Ref<Application> {
    Ref::by(ExternalId { connection: Some(named("hr")), ..ExternalId::of(application) })
}

pub(crate) fn options() -> BandOptions {
    BandOptions { sources: [named("payroll")].into(), asks_per_minute: 1_000_000, ..BandOptions::default() }
}

pub(crate) struct Pay {
    pub(crate) bed: Bed,
    pub(crate) desk: Arc<BandDesk>,
    pub(crate) options: BandOptions,
    working: tokio::task::JoinHandle<()>,
    cancel: CancellationToken,
}

impl Pay {
    /// With this band for `job-1`, `count` applications for it of as many candidates, and of each an interview that is under way.
    pub(crate) async fn new(band: PayBand, count: usize, options: BandOptions) -> Self {
        let bed = Bed::new().await;
        bed.put_through(&named("payroll"), &[("b1".into(), band)]).await;
        bed.put_through(&named("hr"), &[("job-1".into(), job("研发"))]).await;
        let applications: Vec<_> =
            (0..count).map(|n| (format!("app-{n}"), application_of(&format!("cand-{n}"), "job-1"))).collect();
        bed.put_through(&named("hr"), &applications).await;
        let interviews: Vec<_> = (0..count)
            .map(|n| (format!("int-{n}"), interview(&format!("app-{n}"), InterviewStatus::InProgress)))
            .collect();
        bed.put_more(&interviews).await;
        Self::over(bed, options).await
    }

    async fn over(bed: Bed, options: BandOptions) -> Self {
        let (desk, work) = open(&bed, &options).await;
        let cancel = CancellationToken::new();
        let working = tokio::spawn(work.run(cancel.clone()));
        Self { bed, desk, options, working, cancel }
    }

    /// The gateway is stopped and started again.
    pub(crate) async fn restarted(self) -> Self {
        let (bed, options) = self.stopped().await;
        Self::over(bed, options).await
    }

    /// Everything that was asked is written.
    pub(crate) async fn stopped(self) -> (Bed, BandOptions) {
        self.cancel.cancel();
        self.working.await.unwrap();
        (self.bed, self.options)
    }

    pub(crate) async fn ask(&self, about: Asked<'_>, amount: &str) -> Result<Verdict, InterviewError> {
        self.ask_through(&vendor(), about, (amount, "CNY", PayInterval::Month)).await
    }

    pub(crate) async fn ask_through(
        &self,
        connection: &ConnectionName,
        about: Asked<'_>,
        (amount, currency, per): (&str, &str, PayInterval),
    ) -> Result<Verdict, InterviewError> {
        let expected = Money::new(amount, currency).unwrap();
        self.desk.ask(&tenant(), connection.as_str(), BandAsk { connection, about, expected, per }).await
    }
}

/// A gateway over this store.
pub(crate) async fn open(bed: &Bed, options: &BandOptions) -> (Arc<BandDesk>, BandWork) {
    BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options.clone()).await.unwrap()
}

/// Sources in which the records of this connection count besides those of `hr`.
pub(crate) fn beside(other: &str) -> Sources {
    Sources { beside: [(named("hr"), [named(other)].into())].into(), ..Sources::default() }
}
