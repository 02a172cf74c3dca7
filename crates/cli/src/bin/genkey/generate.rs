//! Making a key, and its record.

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::new_files::NewFiles;
use mailproof_keygen::{Form, KeyFormat, KeyPair, KeySpec, KeyText, Owner, Record, Tags};

use crate::cli::Generate;

pub(crate) fn run(arguments: &Generate) -> Result<Exit, Trouble> {
    let key = KeyPair::generate(KeySpec::Rsa(arguments.bits)).map_err(usage)?;
    let owner = Owner::of_key(&arguments.selector, Some(&arguments.domain));
    let mut record = Record::txt(owner, KeyText::new(&Tags::default(), &key));
    let Generate { selector, domain, directory, .. } = arguments;
    record.comment = Some(format!("----- DKIM key {selector} for {domain}"));
    let mut files = NewFiles::default();
    let private = key.encode(KeyFormat::Pkcs8).map_err(usage)?;
    files.add(directory.join(format!("{selector}.private")), &private)?;
    let text = Form::Bind.print(&[record]).map_err(usage)?;
    files.add(directory.join(format!("{selector}.txt")), text.as_bytes())?;
    files.keep()?;
    Ok(Exit::Good)
}

fn usage(error: impl std::fmt::Display) -> Trouble {
    Trouble::Usage(error.to_string())
}
