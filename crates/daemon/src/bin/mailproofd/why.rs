//! `mailproofd why`: one decision, step by step.

use std::io::Write as _;

use mailproof_cli::escape::safe;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::output::{Output, remark};
use mailproof_daemon::settings::Role;
use mailproof_daemon::{Client, Config, Decision, Severity, SigningKeySource, Steps};

use crate::cli::Why;
use crate::load;

pub(crate) fn run(command: &Why) -> Result<Exit, Trouble> {
    if !command.from.contains('@') {
        return Err(Trouble::Usage(format!("--from {:?} is no address", command.from)));
    }
    let files = command.options.files();
    let draft = load(&command.config, &files)?;
    let (config, findings) = Config::resolve(draft.settings, &draft.origins, &files);
    let errors = draft.findings.iter().chain(&findings);
    let errors = errors.filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        let said = "the configuration has errors, see mailproofd check-config";
        remark("warning", said);
    }
    let client = Client {
        ip: command.ip,
        name: command.host.as_deref(),
        authenticated: command.auth,
        mta_name: command.mta.as_deref(),
        macros: &[],
    };
    let recipients: Vec<&str> = command.to.iter().map(String::as_str).collect();
    let mut output = Output::stdout();
    let mut exit = Exit::Good;
    let milters = config.settings.listeners.iter().filter(|l| !l.is(Role::Policy));
    for listener in milters {
        let mut steps = Steps::kept();
        let author = Some(command.from.as_str());
        let decision = config.decide(&listener.roles, &client, author, &recipients, &mut steps);
        let word = match &decision {
            Decision::Sign(_) => "signed",
            Decision::CannotSign(_) => "cannot be signed",
            Decision::Verify => "verified",
            Decision::Pass(_) => "left as it is",
        };
        writeln!(output, "{}: {word}", safe(&listener.socket.to_string()))?;
        for step in steps.list() {
            output.detail("step", &safe(step).to_string())?;
        }
        match decision {
            Decision::Sign(keys) => {
                for key in keys {
                    let identity = key.identity.map(|id| format!(" i={id}")).unwrap_or_default();
                    let file = match key.key {
                        SigningKeySource::Loaded(key) => {
                            format!("{} {}", key.algorithm(), key.bits())
                        }
                        SigningKeySource::File(path) => path.display().to_string(),
                    };
                    let text = format!("d={} s={}{identity} ({file})", key.domain, key.selector);
                    output.detail("signs", &safe(&text).to_string())?;
                }
            }
            Decision::CannotSign(_) => exit = Exit::Bad,
            _ => {}
        }
    }
    output.flush()?;
    Ok(exit)
}
