//! Do the people of one channel take part more often than those of the others?

use std::collections::BTreeMap;

use renmen_schema::code::SourceChannel;

use super::steps::{Board, Path};
use crate::figure::{Figure, Ids, LeftOut, Method, PValue};
use crate::model::{Need, Overflow, Question, Row};
use crate::stats::{Correction, adjusted, fisher_exact, two_proportions};

/// The question.
#[derive(Debug)]
pub struct Channels {
    board: Board,
    sample_min: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelReport {
    /// Channel by channel, in the order of their codes.
    pub channels: Vec<ChannelFigures>,
    /// Applications whose channel is not known: they are compared with none.
    pub unknown: Option<ChannelFigures>,
    /// What is not counted.
    pub left_out: LeftOut,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelFigures {
    /// The channel; none where it is not known.
    pub channel: Option<SourceChannel>,
    /// Applications that began.
    pub began: u64,
    /// Applications that reached the end of the path.
    pub finished: u64,
    /// The share of them.
    pub participation: Figure,
    /// That share less the share of all other known channels together; none where there are no others.
    pub against_others: Option<Figure>,
    /// Too few applications to judge.
    pub too_few: bool,
}

impl Channels {
    /// Along a path. A channel with fewer than `sample_min` applications is shown and not judged.
    #[must_use]
    pub fn new(path: Path, sample_min: u64) -> Self {
        Self { board: Board::new(path), sample_min }
    }
}

impl Question for Channels {
    type Answer = ChannelReport;

    fn needs(&self) -> &'static [Need] {
        Board::NEEDS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.board.take(row);
    }

    fn answer(self) -> Result<ChannelReport, Overflow> {
        let (path, measured) = (&self.board.path, self.board.measured());
        let last = measured.last().copied().unwrap_or(0);
        let (began, left_out) = self.board.began()?;
        let mut known = path.ids();
        let mut counts: BTreeMap<Option<&str>, (Option<SourceChannel>, Ids, u64)> = BTreeMap::new();
        for (entry, _) in began {
            let code = entry.channel.map(SourceChannel::as_str);
            code.into_iter().for_each(|_| known.add(entry.application));
            let (_, ids, finished) = counts.entry(code).or_insert_with(|| (entry.channel, path.ids(), 0));
            ids.add(entry.application);
            *finished += u64::from(entry.furthest >= last);
        }
        let figures = |(channel, ids, finished): (Option<SourceChannel>, Ids, u64)| ChannelFigures {
            channel,
            began: ids.total(),
            finished,
            participation: path.share(finished, &ids),
            against_others: None,
            too_few: ids.total() < self.sample_min,
        };
        let unknown = counts.remove(&None).map(figures);
        let mut channels: Vec<ChannelFigures> = counts.into_values().map(figures).collect();
        let finished: u64 = channels.iter().map(|channel| channel.finished).sum();
        for channel in &mut channels {
            let others = (finished - channel.finished, known.total() - channel.began);
            channel.against_others = against(path, channel, others, &known);
        }
        correct(&mut channels);
        Ok(ChannelReport { channels, unknown, left_out })
    }
}

fn against(path: &Path, channel: &ChannelFigures, others: (u64, u64), known: &Ids) -> Option<Figure> {
    let own = (channel.finished, channel.began);
    let p = fisher_exact(own.0, own.1 - own.0, others.0, others.1 - others.0)?;
    let compared = two_proportions(own, others, path.confidence)?;
    let p = PValue { alone: p, adjusted: p };
    let basis = path.basis(Method::TwoShares, known.total(), known);
    Some(Figure { value: Some(compared.difference), interval: Some(compared.interval), p: Some(p), basis })
}

/// Corrects over the channels that are judged. Those that are not have no p value: it would be read as a judgement.
fn correct(channels: &mut [ChannelFigures]) {
    let mut tested: Vec<&mut PValue> = Vec::new();
    for channel in channels {
        let Some(figure) = &mut channel.against_others else { continue };
        if channel.too_few {
            figure.p = None;
        }
        tested.extend(figure.p.as_mut());
    }
    let alone: Vec<f64> = tested.iter().map(|p| p.alone).collect();
    for (p, adjusted) in tested.into_iter().zip(adjusted(Correction::Holm, &alone)) {
        p.adjusted = adjusted;
    }
}
