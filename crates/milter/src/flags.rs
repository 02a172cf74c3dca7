//! What the two sides agree upon, as sets of bits.

macro_rules! flags {
    ($(#[$doc:meta])* $name:ident { $($(#[$flag_doc:meta])* $flag:ident = $bits:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        impl $name {
            /// The empty set.
            pub const NONE: $name = $name(0);
            /// Every bit this crate has a name for.
            pub const ALL: $name = $name(0 $(| $bits)*);
            $($(#[$flag_doc])* pub const $flag: $name = $name($bits);)*

            const NAMES: &'static [(u32, &'static str)] = &[$(($bits, stringify!($flag)),)*];

            /// The set with these bits, known or not.
            pub const fn from_bits(bits: u32) -> $name {
                $name(bits)
            }

            /// The bits, as they go over the wire.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// Whether nothing is in the set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether all of `other` is in the set.
            pub const fn contains(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// What is in this set and not in `other`.
            pub const fn without(self, other: $name) -> $name {
                $name(self.0 & !other.0)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = $name;

            fn bitor(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: $name) {
                self.0 |= other.0;
            }
        }

        impl std::ops::BitAnd for $name {
            type Output = $name;

            fn bitand(self, other: $name) -> $name {
                $name(self.0 & other.0)
            }
        }

        /// The names of the bits, with `|` between them.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let named = $name::NAMES.iter().filter(|(bits, _)| self.0 & bits != 0);
                let unknown = self.without($name::ALL).0;
                for (index, (_, name)) in named.enumerate() {
                    write!(f, "{}{name}", if index == 0 { "" } else { "|" })?;
                }
                match (unknown, self.0 == unknown) {
                    (0, true) => f.write_str("NONE"),
                    (0, false) => Ok(()),
                    (_, alone) => write!(f, "{}{unknown:#x}", if alone { "" } else { "|" }),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

flags! {
    /// What a filter may do to a message: the SMFIF flags.
    Actions {
        /// SMFIF_ADDHDRS: add and insert header fields.
        ADD_HEADERS = 0x1;
        /// SMFIF_CHGBODY: replace the body.
        CHANGE_BODY = 0x2;
        /// SMFIF_ADDRCPT: add recipients.
        ADD_RECIPIENTS = 0x4;
        /// SMFIF_DELRCPT: delete recipients.
        DELETE_RECIPIENTS = 0x8;
        /// SMFIF_CHGHDRS: change and delete header fields.
        CHANGE_HEADERS = 0x10;
        /// SMFIF_QUARANTINE: put the message on hold.
        QUARANTINE = 0x20;
        /// SMFIF_CHGFROM: change the envelope sender.
        CHANGE_FROM = 0x40;
        /// SMFIF_ADDRCPT_PAR: add recipients with ESMTP parameters.
        ADD_RECIPIENTS_WITH_ARGS = 0x80;
        /// SMFIF_SETSYMLIST: say which macros to send. Asked for by [`crate::Wants::macros`].
        SET_MACROS = 0x100;
    }
}

flags! {
    /// What the MTA sends and what it waits for: the SMFIP flags.
    ///
    /// `NO_…`: this packet is not sent at all. `NO_REPLY_…`: it is sent, and no reply is awaited,
    /// which saves a round trip each.
    Protocol {
        /// SMFIP_NOCONNECT: no connection information.
        NO_CONNECT = 0x1;
        /// SMFIP_NOHELO: no HELO.
        NO_HELO = 0x2;
        /// SMFIP_NOMAIL: no MAIL FROM.
        NO_MAIL = 0x4;
        /// SMFIP_NORCPT: no RCPT TO.
        NO_RCPT = 0x8;
        /// SMFIP_NOBODY: no body.
        NO_BODY = 0x10;
        /// SMFIP_NOHDRS: no header fields.
        NO_HEADERS = 0x20;
        /// SMFIP_NOEOH: no end of header.
        NO_END_OF_HEADERS = 0x40;
        /// SMFIP_NR_HDR: header fields are not replied to.
        NO_REPLY_HEADER = 0x80;
        /// SMFIP_NOUNKNOWN: no unknown commands.
        NO_UNKNOWN = 0x100;
        /// SMFIP_NODATA: no DATA.
        NO_DATA = 0x200;
        /// SMFIP_SKIP: [`crate::Reply::Skip`] is understood.
        SKIP = 0x400;
        /// SMFIP_RCPT_REJ: recipients that the MTA has rejected are sent, too.
        REJECTED_RCPT = 0x800;
        /// SMFIP_NR_CONN: the connection information is not replied to.
        NO_REPLY_CONNECT = 0x1000;
        /// SMFIP_NR_HELO: HELO is not replied to.
        NO_REPLY_HELO = 0x2000;
        /// SMFIP_NR_MAIL: MAIL FROM is not replied to.
        NO_REPLY_MAIL = 0x4000;
        /// SMFIP_NR_RCPT: RCPT TO is not replied to.
        NO_REPLY_RCPT = 0x8000;
        /// SMFIP_NR_DATA: DATA is not replied to.
        NO_REPLY_DATA = 0x1_0000;
        /// SMFIP_NR_UNKN: unknown commands are not replied to.
        NO_REPLY_UNKNOWN = 0x2_0000;
        /// SMFIP_NR_EOH: the end of the header is not replied to.
        NO_REPLY_END_OF_HEADERS = 0x4_0000;
        /// SMFIP_NR_BODY: body chunks are not replied to.
        NO_REPLY_BODY = 0x8_0000;
        /// SMFIP_HDR_LEADSPC: values of header fields come and go with the space after the colon.
        LEADING_SPACE = 0x10_0000;
    }
}

impl Protocol {
    /// All `NO_REPLY_…`: for a filter that decides at the end of the message.
    pub const NO_REPLIES: Protocol = Protocol(0xf_f080);
}
