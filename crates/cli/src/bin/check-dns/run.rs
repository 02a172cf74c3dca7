//! A run: every domain is examined, its findings sorted out and written.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::instant::Instant;
use mailproof_cli::output::{Output, Progress, remark};
use mailproof_dns::{Answers, Failure, Name};
use mailproof_records::{Kind, Profile, Severity, check_owner, check_record};

use crate::baseline::{self, Baseline, Entry};
use crate::cli::{Check, FailOn};
use crate::dns::{Asked, Asker, Dns};
use crate::domains::{self, Expectations, Job};
use crate::examine::{Circumstances, Examined, examine};
use crate::found::{Checked, Found};
use crate::lock::Lock;
use crate::manifest::{FILE_NAME, Manifest};
use crate::network::Network;
use crate::published::Published;
use crate::resume::Done;
use crate::write::Writer;
use crate::zones::Zones;

/// How many findings of one domain are reported. Local choice: nobody reads more.
const FINDINGS: usize = 1000;
/// How many things that could not be looked up are told for each domain.
const UNKNOWN: usize = 3;

/// Checks the domains that the command line, the zone files or the manifest name.
pub(crate) fn check(check: &Check) -> Result<Exit, Trouble> {
    let manifest = manifest(check)?;
    let dns = Dns::new(&check.dns, check.origin.as_ref(), check.offline)?;
    let expectations = Expectations::new(check, &manifest)?;
    let mut run = Run::new(check, &manifest)?;
    let network = Network::new(&check.network, run.now.0)?;
    let circumstances =
        Circumstances { now: run.now, locks: run.lock.is_some(), network: network.as_ref() };
    let bad_input = Cell::new(false);
    let done = std::mem::take(&mut run.done);
    let jobs = domains::jobs(check, &expectations, dns.zones())?.filter_map(|job| match job {
        Ok(job) => (!done.contains(&job.domain)).then_some(job),
        Err(trouble) => {
            remark("error", trouble);
            bad_input.set(true);
            None
        }
    });
    dns.each(
        jobs,
        async |job: &Job, asker: &Asker<'_>, answers: &mut Answers| {
            examine(job, circumstances, asker, answers).await
        },
        |job, examined, asked| run.domain(&dns, &job, examined, asked),
    )?;
    let exit = run.end()?;
    dns.finish()?;
    Ok(if bad_input.get() { Exit::Trouble } else { exit })
}

/// The manifest named, or that of this folder if there is one.
fn manifest(check: &Check) -> Result<Manifest, Trouble> {
    match &check.manifest {
        Some(path) => Manifest::read(path),
        None if Path::new(FILE_NAME).is_file() => Manifest::read(Path::new(FILE_NAME)),
        None => Ok(Manifest::default()),
    }
}

/// The state of a run.
struct Run<'a> {
    manifest: &'a Manifest,
    writer: Writer,
    output: Output,
    progress: Progress,
    now: Instant,
    /// The least severity that is reported.
    least: Severity,
    baseline: Option<Baseline>,
    /// Where all findings are to be written, and those so far.
    new_baseline: Option<(PathBuf, Vec<Entry>)>,
    lock: Option<LockFile>,
    done: std::collections::HashSet<mailproof_dns::Name>,
    /// Which suppressions had something to suppress.
    used: BTreeSet<usize>,
    /// Whether no domain was examined yet.
    is_first: bool,
    /// Whether the domains are those of the zone files: then all of the files is looked at.
    is_of_zones: bool,
    /// Whether there was a domain that nothing could be known of.
    is_unasked: bool,
}

/// The lock file before and after.
struct LockFile {
    path: PathBuf,
    before: Option<Lock>,
    after: Lock,
    updates: bool,
}

impl<'a> Run<'a> {
    fn new(check: &Check, manifest: &'a Manifest) -> Result<Run<'a>, Trouble> {
        let (rules, options) = (&check.rules, &check.output);
        let fail_on = options.fail_on.or(manifest.fail_on).unwrap_or(FailOn::Error);
        let shows_info = options.verbose || fail_on == FailOn::Info;
        let baseline = rules.baseline.as_ref().or(manifest.baseline.as_ref());
        // The baseline of the manifest is not there before it is first written.
        let baseline = baseline.filter(|path| rules.write_baseline.is_none() || path.is_file());
        let lock = rules.lock.clone().or_else(|| manifest.lock.clone());
        if rules.update_lock && lock.is_none() {
            return Err(Trouble::Usage("--update-lock: which file? name it with --lock".into()));
        }
        let lock = match lock {
            None => None,
            Some(path) => Some(LockFile {
                before: Lock::read(&path)?,
                after: Lock::default(),
                updates: rules.update_lock,
                path,
            }),
        };
        let done = match &check.resume {
            None => Done::default(),
            Some(path) => Done::read(path)?,
        };
        let mut run = Run {
            manifest,
            writer: Writer::new(options, fail_on.severity(), done.summary, done.is_cut),
            output: Output::stdout(),
            progress: Progress::new(),
            now: options.now.unwrap_or_else(Instant::now),
            least: if shows_info { Severity::Info } else { Severity::Warning },
            baseline: baseline.map(|path| Baseline::read(path)).transpose()?,
            new_baseline: rules.write_baseline.clone().map(|path| (path, Vec::new())),
            lock,
            done: done.domains,
            used: BTreeSet::new(),
            is_first: true,
            is_of_zones: check.domains.is_empty()
                && check.list.is_none()
                && check.expect.message.is_empty(),
            is_unasked: false,
        };
        run.tell_of_ends();
        Ok(run)
    }

    /// Says which suppressions have ended.
    fn tell_of_ends(&mut self) {
        for suppression in &self.manifest.suppressions {
            if let Some(expires) =
                suppression.expires.as_deref().filter(|_| suppression.is_over(self.now))
            {
                let (place, reason) = (
                    &suppression.place,
                    mailproof_cli::escape::visible(suppression.reason.as_bytes()),
                );
                remark(
                    "warning",
                    format_args!("{place}: the suppression ended on {expires} ({reason})"),
                );
            }
        }
    }

    /// A domain is examined.
    fn domain(
        &mut self,
        dns: &Dns,
        job: &Job,
        mut examined: Examined,
        asked: &Asked,
    ) -> Result<(), Trouble> {
        self.progress.clear();
        let report = &mut examined.report;
        let mut checked = Checked {
            domain: job.domain.to_string(),
            named_at: job.named_at.clone(),
            findings: Vec::new(),
            lookups: asked.lookups,
            spf: report.spf.map(|spf| spf.into()),
            tree: std::mem::take(&mut report.tree),
            dmarc: report.dmarc.take(),
            selectors: std::mem::take(&mut report.selectors),
            unknown: Vec::new(),
            not_asked: 0,
            suppressed: 0,
            baseline: 0,
            not_shown: 0,
            omitted: 0,
        };
        self.unknown(dns, asked, &examined, &mut checked);
        if checked.lookups > 0 && checked.not_asked == checked.lookups {
            let reason = "it lies outside the zone files, and with --offline nobody is asked";
            remark("error", Trouble::input(checked.domain, reason));
            self.is_unasked = true;
            return Ok(());
        }
        let mut findings = Vec::new();
        for finding in examined.report.findings {
            // Most are info that nobody asked for: what is written about them is not put together.
            let what = (finding.rule.id, &finding.name, finding.severity);
            if self.counts(job, what, &mut checked) {
                findings.push(Found::new(finding, &job.domain, dns.zones()));
            }
        }
        let own =
            self.own(dns, job, (examined.published, examined.unresolved, examined.other_keys));
        let told = findings.len();
        for found in own {
            // What stands beside the domain may be part of its tree.
            let is_same = |other: &Found| other.order(&found) == Ordering::Equal;
            if findings.iter().take(told).any(is_same) {
                continue;
            }
            if self.counts(job, (found.rule.id, &found.owner, found.severity), &mut checked) {
                findings.push(found);
            }
        }
        findings.sort_by(Found::order);
        for found in findings {
            self.sort_out(found, &mut checked);
        }
        self.writer.domain(&mut self.output, checked)?;
        let count = self.writer.summary().domains;
        self.progress.count(format_args!("{count} domains, {} questions sent", dns.sent()));
        Ok(())
    }

    /// What this tool itself finds.
    fn own(
        &mut self,
        dns: &Dns,
        job: &Job,
        (published, unresolved, other_keys): (Option<Published>, Vec<String>, Vec<Name>),
    ) -> Vec<Found> {
        let domain = &job.domain;
        let mut own = Vec::new();
        if std::mem::replace(&mut self.is_first, false) {
            let defects = dns.zones().defects().iter();
            own.extend(defects.filter_map(|defect| Found::defect(defect, domain)));
            if self.is_of_zones {
                own.extend(beside(dns.zones(), domain));
            }
        }
        own.extend(self.drift(job, published));
        own.extend(unresolved.iter().filter_map(|host| Found::unresolved(host, domain)));
        own.extend(other_keys.iter().filter_map(|selector| Found::other_key(selector, domain)));
        own.into_iter().map(|found| found.in_zone(dns.zones())).collect()
    }

    /// What could not be looked up.
    fn unknown(&self, dns: &Dns, asked: &Asked, examined: &Examined, checked: &mut Checked) {
        let mut unknown = Vec::new();
        for (question, failure) in &asked.failures {
            match failure {
                Failure::NotRecorded if dns.asks_nobody() => checked.not_asked += 1,
                // Asked to see whether the resolver validates; a name server has no root.
                _ if question.name == Name::root() => {}
                failure => unknown.push(format!("{question}: {failure}")),
            }
        }
        let lost = examined.report.findings.iter().filter(|found| found.rule.id == "NET001");
        unknown.extend(lost.map(|found| {
            format!("{} {}", found.source, mailproof_cli::escape::safe(&found.message))
        }));
        unknown.sort();
        let more = unknown.len().saturating_sub(UNKNOWN);
        unknown.truncate(UNKNOWN);
        if more > 0 {
            unknown.push(format!("and {more} more"));
        }
        checked.unknown = unknown;
    }

    /// Whether a finding of this rule, about this name, counts.
    fn counts(
        &mut self,
        job: &Job,
        (rule, owner, severity): (&str, &Name, Severity),
        checked: &mut Checked,
    ) -> bool {
        if !job.settings.selection.has(rule) {
            return false;
        }
        let suppression = self.manifest.suppressions.iter().position(|suppression| {
            !suppression.is_over(self.now) && suppression.fits(rule, &job.domain, owner)
        });
        if let Some(index) = suppression {
            self.used.insert(index);
            checked.suppressed += 1;
            return false;
        }
        if severity < self.least {
            checked.not_shown += 1;
        }
        severity >= self.least
    }

    /// Whether a finding that counts is reported, and if not, why.
    fn sort_out(&mut self, found: Found, checked: &mut Checked) {
        if let Some((_, entries)) = &mut self.new_baseline {
            entries.push(Entry::of(&found));
        }
        if self.baseline.as_mut().is_some_and(|baseline| baseline.takes(&found)) {
            checked.baseline += 1;
            return;
        }
        if checked.findings.len() < FINDINGS {
            checked.findings.push(found);
        } else {
            checked.omitted += 1;
        }
    }

    fn drift(&mut self, job: &Job, published: Option<Published>) -> Vec<Found> {
        let Some(lock) = &mut self.lock else { return Vec::new() };
        let Some(published) = published else {
            let domain = &job.domain;
            remark(
                "warning",
                format_args!("{domain}: not held against the lock file, for lack of answers"),
            );
            return Vec::new();
        };
        let domain = job.domain.to_string();
        let was = lock.before.as_ref().and_then(|before| before.domains.get(&domain));
        let drift = match was {
            Some(was) if !lock.updates => crate::lock::drift(was, &published),
            _ => Vec::new(),
        };
        lock.after.domains.insert(domain, published);
        drift.iter().filter_map(|drift| Found::drift(drift, &job.domain)).collect()
    }

    fn end(mut self) -> Result<Exit, Trouble> {
        self.progress.clear();
        for (index, suppression) in self.manifest.suppressions.iter().enumerate() {
            if !self.used.contains(&index)
                && !suppression.is_over(self.now)
                && self.least == Severity::Info
            {
                remark("note", format_args!("{}: nothing to suppress", suppression.place));
            }
        }
        if let Some((path, entries)) = self.new_baseline {
            baseline::write(&path, entries)?;
        }
        if let Some(lock) = self.lock {
            lock.end()?;
        }
        let exit = self.writer.end(&mut self.output)?;
        Ok(if self.is_unasked { Exit::Trouble } else { exit })
    }
}

impl LockFile {
    /// Writes the file if it is new, or is to be written anew. Domains that were not checked this
    /// time stay as they were.
    fn end(self) -> Result<(), Trouble> {
        let lock = match self.before {
            None => self.after,
            Some(before) => {
                let is_new =
                    self.after.domains.keys().any(|domain| !before.domains.contains_key(domain));
                if !self.updates && !is_new {
                    return Ok(());
                }
                let mut lock = before;
                for (domain, published) in self.after.domains {
                    if self.updates || !lock.domains.contains_key(&domain) {
                        lock.domains.insert(domain, published);
                    }
                }
                lock
            }
        };
        lock.write(&self.path)
    }
}
/// What is plainly wrong with records of the zone files that are about other names than the domains
/// checked. What such names are for, and so what would be weak there, nobody knows.
fn beside(zones: &Zones, domain: &Name) -> Vec<Found> {
    let mut found = Vec::new();
    for (kind, owner, text) in zones.beside() {
        let report = check_record(kind, owner, text, Profile::Sender);
        // DMARC has a rule of its own, which asks.
        let top = zones.top(owner).filter(|_| kind != Kind::Dmarc);
        let place = top.map(|top| check_owner(&top, owner, text).findings);
        let findings = report.findings.into_iter().chain(place.into_iter().flatten());
        let errors = findings.filter(|one| one.severity == Severity::Error);
        found.extend(errors.map(|finding| Found::new(finding, domain, zones)));
    }
    found
}
