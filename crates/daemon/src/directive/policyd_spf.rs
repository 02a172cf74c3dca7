//! policyd-spf.conf(5).

use super::Class::{Equivalent, Harmless, Honoured, Unsupported};
use super::Kind::{Integer, Text};
use super::Row;

#[rustfmt::skip]
pub(super) const DIRECTIVES: &[Row] = &[
    ("debugLevel", Integer, Equivalent, "What is logged is set in [log]."),
    ("Authserv_Id", Text, Honoured, "It is the authserv-id of the policy service."),
    ("Domain_Whitelist", Text, Unsupported, "Clients are not passed by the SPF record of another domain; list their networks in Whitelist."),
    ("Domain_Whitelist_PTR", Text, Unsupported, "Clients are not passed by the names of their addresses; list their networks in Whitelist."),
    ("HELO_Whitelist", Text, Unsupported, "Clients are not passed by the name they give; list their networks in Whitelist."),
    ("HELO_pass_restriction", Text, Unsupported, "A pass is not answered with another restriction of Postfix."),
    ("HELO_reject", Text, Honoured, "From this result of the HELO name on a message is refused."),
    ("Header_Type", Text, Honoured, "This field is added."),
    ("Hide_Receiver", Text, Honoured, "The domain of the recipient is left out of the field."),
    ("Lookup_Time", Integer, Honoured, "The evaluation of one identity takes no longer."),
    ("Mail_From_pass_restriction", Text, Unsupported, "A pass is not answered with another restriction of Postfix."),
    ("Mail_From_reject", Text, Honoured, "From this result of MAIL FROM on a message is refused."),
    ("Mock", Text, Harmless, "A switch for the tests of policyd-spf; there, any value at all, even False, turns SPF off."),
    ("No_Mail", Text, Honoured, "Only records that allow no mail at all lead to a refusal."),
    ("Per_User", Text, Unsupported, "There are no settings for single recipients."),
    ("PermError_reject", Text, Honoured, "A record with an error leads to a refusal."),
    ("Prospective", Text, Unsupported, "Mail is not checked as if it came from another address; check-dns does this beforehand."),
    ("QueueID", Text, Equivalent, "The queue id is always logged where Postfix gives it."),
    ("Reason_Message", Text, Honoured, "It is the text of a refusal; without it, the text names no web page, since that of openspf.net is gone."),
    ("Reject_Not_Pass_Domains", Text, Honoured, "For these domains everything but a pass is refused."),
    ("SPF_Enhanced_Status_Codes", Text, Equivalent, "Replies always have the codes of RFC 7372."),
    ("TempError_Defer", Text, Honoured, "Trouble with the DNS is answered with 4xx."),
    ("TestOnly", Text, Honoured, "With 0, results are written down and nothing is refused."),
    ("Void_Limit", Integer, Honoured, "So many lookups may find nothing (RFC 7208 4.6.4)."),
    ("Whitelist", Text, Honoured, "Clients in these networks are not checked."),
    ("Whitelist_Lookup_Time", Integer, Harmless, "It limits lookups that are not made."),
    ("defaultSeedOnly", Text, Honoured, "The old name of TestOnly."),
    ("IntHosts", Text, Harmless, "pyspf-milter alone reads it."),
    ("InternalHosts", Text, Harmless, "pyspf-milter alone reads it."),
    ("MacroList", Text, Harmless, "pyspf-milter alone reads it."),
    ("PidFile", Text, Harmless, "pyspf-milter alone reads it."),
    ("Socket", Text, Harmless, "pyspf-milter alone reads it."),
    ("UMask", Text, Harmless, "pyspf-milter alone reads it."),
    ("UserID", Text, Harmless, "pyspf-milter alone reads it."),
    ("skip_addresses", Text, Honoured, "Clients in these networks are our own and not checked."),
];
