//! Where gateways put banners and footers into HTML, within its lines.

use memchr::{memchr, memmem};

/// What ends a banner, and what begins a footer.
const ENDS: [&[u8]; 6] = [b"</div>", b"</table>", b"</p>", b"<br>", b"<hr>", b"</span>"];
const STARTS: [&[u8]; 7] = [b"<div", b"<table", b"<p", b"<br", b"<hr", b"<img", b"<span"];

/// What may have been added: one start with some ends.
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) ends: Vec<usize>,
    /// Whether it is behind `<body>`; else it is before `</body>`.
    pub(super) on_top: bool,
}

/// The places of the HTML in a body, of so many documents, and of each so many.
pub(super) fn places(body: &[u8], documents: usize, most: usize) -> Vec<Place> {
    let lower = body.to_ascii_lowercase();
    let mut places = Vec::new();
    for open in memmem::find_iter(&lower, b"<body").take(documents) {
        let rest = lower.get(open..).unwrap_or_default();
        let Some(top) = memchr(b'>', rest).map(|at| open + at + 1) else { continue };
        let content = lower.get(top..).unwrap_or_default();
        let found = ENDS.iter().flat_map(|tag| {
            let places = memmem::find_iter(content, tag).take(most);
            places.map(|at| top + at + tag.len())
        });
        let mut ends: Vec<usize> = found.collect();
        ends.sort_unstable();
        ends.truncate(most);
        places.push(Place { start: top, ends, on_top: true });
        let Some(close) = memmem::find(content, b"</body") else { continue };
        let content = content.get(..close).unwrap_or_default();
        let found = STARTS.iter().flat_map(|tag| memmem::rfind_iter(content, tag).take(most));
        let mut starts: Vec<usize> = found.collect();
        starts.sort_unstable_by(|one, other| other.cmp(one));
        let footer = |start| Place { start: top + start, ends: vec![top + close], on_top: false };
        places.extend(starts.into_iter().take(most).map(footer));
    }
    places
}
