//! As whom the daemon runs.

use std::ffi::CString;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Group, Uid, User, geteuid, initgroups, setgid, setgroups, setuid};

use crate::value::Account;

/// Open files that a daemon never needs more of. Local choice: each of the connections has one, and
/// so have the questions to the DNS that are under way.
const FILES: u64 = 1 << 16;

/// A user and a group of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) user: Uid,
    pub(crate) group: Gid,
}

impl Ids {
    /// Who that is; `Err` is a sentence.
    pub(crate) fn of(account: &Account) -> Result<Ids, String> {
        let (user, known) = user(account)?;
        let group = match &account.group {
            Some(name) => group(name)?,
            None => known.ok_or_else(|| {
                format!("user {} has no entry, so its group must be written: USER:GROUP", account)
            })?,
        };
        Ok(Ids { user, group })
    }
}

/// The user, and its group if the system knows it.
fn user(account: &Account) -> Result<(Uid, Option<Gid>), String> {
    let text = &account.user;
    let found = match text.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(text),
    };
    match (found.map_err(|error| format!("user {text}: {error}"))?, text.parse()) {
        (Some(user), _) => Ok((user.uid, Some(user.gid))),
        (None, Ok(number)) => Ok((Uid::from_raw(number), None)),
        (None, Err(_)) => Err(format!("there is no user {text}")),
    }
}

fn group(text: &str) -> Result<Gid, String> {
    if let Ok(number) = text.parse() {
        return Ok(Gid::from_raw(number));
    }
    let found = Group::from_name(text).map_err(|error| format!("group {text}: {error}"))?;
    found.map(|group| group.gid).ok_or_else(|| format!("there is no group {text}"))
}

/// Becomes this user for good, with all of its groups; `Err` is a sentence.
///
/// All threads do: nix calls the C library, which sees to that.
pub(crate) fn change_to(account: &Account) -> Result<(), String> {
    let Ids { user, group } = Ids::of(account)?;
    if !geteuid().is_root() {
        return match geteuid() == user {
            true => Ok(()),
            false => Err(format!("only root can become user {account}; start it as root")),
        };
    }
    let name = User::from_uid(user).ok().flatten().map(|user| user.name);
    let name = name.and_then(|name| CString::new(name).ok());
    let failed = |error| format!("cannot become user {account}: {error}");
    match name {
        Some(name) => initgroups(&name, group),
        None => setgroups(&[group]),
    }
    .map_err(failed)?;
    setgid(group).map_err(failed)?;
    setuid(user).map_err(failed)?;
    // A system that lets us come back has not done what was asked.
    match !user.is_root() && setuid(Uid::from_raw(0)).is_ok() {
        true => Err(format!("cannot become user {account} for good")),
        false => Ok(()),
    }
}

/// Allows as many open files as the system lets us have: systems start daemons with 1024, which is
/// about one connection each.
pub(crate) fn raise_file_limit() {
    if let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = most.min(FILES);
        if now < wanted {
            let _stays = setrlimit(Resource::RLIMIT_NOFILE, wanted, most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_who() {
        let of = |text: &str| Ids::of(&text.parse().unwrap());
        let root = of("root").unwrap();
        assert!(root.user.is_root());
        assert_eq!(of("0:0"), Ok(root));
        assert_eq!(of("0"), Ok(root));
        assert_eq!(of("root:65000").unwrap().group, Gid::from_raw(65_000));
        assert_eq!(of("nobody-at-all"), Err("there is no user nobody-at-all".into()));
        assert_eq!(of("root:no-such"), Err("there is no group no-such".into()));
        assert!(of("4000000001").unwrap_err().contains("USER:GROUP"));
    }
}
