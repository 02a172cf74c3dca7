//! opendmarc.conf.

use std::path::PathBuf;

use mailproof_keygen::{DataSet, DataSetKind};

use super::Draft;
use super::lines::{Reader, boolean, items, list};
use super::opendkim::{process, socket};
use crate::directive::Format;
use crate::finding::{Finding, Severity};
use crate::settings::{Action, AuthservId, History, Role, Settings, TemporaryAction};
use crate::value::{Account, AuthservIdError, Item};

pub(super) fn apply(reader: &mut Reader, draft: &mut Draft) {
    reader.origins = std::mem::take(&mut draft.origins);
    let settings = &mut draft.settings;
    let before = settings.authserv_id.clone();
    process(reader, settings);
    listener(reader, settings);
    names(reader, settings, before, draft.formats.contains(&Format::Opendkim));
    ignored(reader, settings);
    policy(reader, settings);
    history(reader, settings);
    if !reader.is_on("spfselfvalidate") {
        let sentence = "OpenDMARC with this file does not check SPF itself, and mail that only SPF \
                        authenticates fails if no other service does; mailproofd always checks it";
        let place = reader.whole();
        reader.say(Finding::new(Severity::Note, "spf-now-checked", sentence).at(place));
    }
    draft.origins = std::mem::take(&mut reader.origins);
}

/// A message comes to OpenDKIM first; if everything is done there, nothing is left to do.
fn listener(reader: &mut Reader, settings: &mut Settings) {
    let Some(mut listener) = socket(reader, settings) else { return };
    let is_done = settings.listeners.iter().any(|other| other.is(Role::Verify));
    listener.roles = vec![if is_done { Role::Idle } else { Role::Verify }];
    let owner = reader.line("userid").and_then(|line| line.value.parse::<Account>().ok());
    listener.owner = owner.filter(|owner| settings.user.as_ref() != Some(owner));
    if is_done {
        let sentence = "everything is done at the socket of OpenDKIM, so this one accepts all mail \
                        at once; Postfix may keep both in smtpd_milters";
        let place = reader.line("socket").map(|line| line.place);
        reader.say(Finding::new(Severity::Note, "socket-idle", sentence).at(place));
    }
    settings.listeners.push(listener);
}

/// There is one field now, with one authserv-id; fields with the others are removed as forged.
fn names(reader: &mut Reader, settings: &mut Settings, before: AuthservId, has_opendkim: bool) {
    let ids = |text: &str| list(text).map(|id| id.parse()).collect::<Result<Vec<_>, _>>();
    let trusted = reader.value("trustedauthservids", "verify.remove-results-of", ids);
    let former = has_opendkim.then_some(before);
    for id in trusted.into_iter().flatten().chain(former) {
        let known = &mut settings.verify.remove_results_of;
        if id != settings.authserv_id && !known.contains(&id) {
            known.push(id);
        }
    }
}

fn ignored(reader: &mut Reader, settings: &mut Settings) {
    let verify = &mut settings.verify;
    let file = |text: &str| {
        let set = DataSet { kind: DataSetKind::File, location: text.to_owned() };
        text.starts_with('/').then(|| vec![Item::Set(set)]).ok_or("expected the path of a file")
    };
    reader.set("ignorehosts", "verify.ignore-hosts", &mut verify.ignore_hosts, file);
    // opendmarc.conf(5): the default is false.
    verify.ignore_authenticated = false;
    let authenticated = &mut verify.ignore_authenticated;
    reader.set("ignoreauthenticatedclients", "verify.ignore-authenticated", authenticated, boolean);
    reader.set("ignoremailfrom", "verify.ignore-domains", &mut verify.ignore_domains, items);
    let sealers = &mut verify.trusted_sealers;
    reader.set("domainwhitelist", "verify.trusted-sealers", sealers, items);
    if let Some(more) = reader.value("domainwhitelistfile", "verify.trusted-sealers", file) {
        verify.trusted_sealers.extend(more);
    }
}

fn history(reader: &mut Reader, settings: &mut Settings) {
    let path = |text: &str| Ok::<_, AuthservIdError>(PathBuf::from(text));
    let Some(file) = reader.value("historyfile", "history.file", path) else { return };
    let mut history = History { file, all: false, not_to: Vec::new() };
    reader.set("recordallmessages", "history.all", &mut history.all, boolean);
    reader.set("ignoremailto", "history.not-to", &mut history.not_to, items);
    settings.history = Some(history);
}

fn policy(reader: &mut Reader, settings: &mut Settings) {
    let policy = &mut settings.policy;
    let rejects = reader.value("rejectfailures", "policy.dmarc.reject", boolean) == Some(true);
    let holds =
        reader.value("holdquarantinedmessages", "policy.dmarc.quarantine", boolean) == Some(true);
    if rejects {
        policy.dmarc.reject = Action::Reject;
        policy.dmarc.temporary = TemporaryAction::Tempfail;
    }
    if rejects && holds {
        policy.dmarc.quarantine = Action::Quarantine;
    } else if holds {
        let sentence = "HoldQuarantinedMessages counts only if RejectFailures is set too, as in \
                        OpenDMARC: nothing is held";
        let place = reader.line("holdquarantinedmessages").map(|line| line.place);
        reader.say(Finding::new(Severity::Warning, "hold-without-reject", sentence).at(place));
    }
    if let Some(true) = reader.value("rejectmultivaluefrom", "policy.multiple-authors", boolean) {
        policy.multiple_authors = Action::Reject;
    }
    let text = |text: &str| match text.matches("%s").count() {
        1 => Ok(text.to_owned()),
        _ => Err("expected a text with one %s, for the domain"),
    };
    reader.set("rejectstring", "policy.dmarc.text", &mut policy.dmarc.text, text);
}
