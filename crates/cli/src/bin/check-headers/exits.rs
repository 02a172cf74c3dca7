//! When a message is good.

use mailproof::Verdict;
use mailproof::arc::ChainStatus;
use mailproof::dmarc::DmarcResult;
use mailproof::spf::SpfResult;
use mailproof_cli::exit::Exit;
use mailproof_dkim::{DkimResult, Outcome};

use crate::cli::Method;

/// Good if one signature passes; temporary if one may.
pub(crate) fn dkim(outcome: &Outcome) -> Exit {
    match outcome.result() {
        DkimResult::Pass => Exit::Good,
        DkimResult::Temperror => Exit::Temporary,
        DkimResult::None
        | DkimResult::Fail
        | DkimResult::Policy
        | DkimResult::Neutral
        | DkimResult::Permerror => Exit::Bad,
    }
}

/// Good if all that is required passes; without a requirement, if DMARC passes or, where no record
/// applies, if SPF or DKIM does.
pub(crate) fn required(verdict: &Verdict, required: &[Method]) -> Exit {
    let worst = required.iter().map(|&method| of(verdict, method)).max();
    worst.unwrap_or_else(|| match verdict.dmarc.result {
        DmarcResult::None => of(verdict, Method::Dkim).min(of(verdict, Method::Spf)),
        _ => of(verdict, Method::Dmarc),
    })
}

fn of(verdict: &Verdict, method: Method) -> Exit {
    match method {
        Method::Dkim => dkim(&verdict.dkim),
        Method::Spf => match verdict.spf.as_ref().map(|spf| spf.deciding().result) {
            Some(SpfResult::Pass) => Exit::Good,
            Some(SpfResult::Temperror) => Exit::Temporary,
            _ => Exit::Bad,
        },
        Method::Dmarc => match verdict.dmarc.result {
            DmarcResult::Pass => Exit::Good,
            DmarcResult::Temperror => Exit::Temporary,
            DmarcResult::None | DmarcResult::Fail | DmarcResult::Permerror => Exit::Bad,
        },
        Method::Arc => match verdict.arc.result() {
            ChainStatus::Pass => Exit::Good,
            // RFC 8617 5.2.1 makes it a fail; here it may be another answer the next time.
            _ if verdict.arc.is_temporary() => Exit::Temporary,
            ChainStatus::None | ChainStatus::Fail => Exit::Bad,
        },
    }
}
