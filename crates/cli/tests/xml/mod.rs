//! As much of XML 1.0 and of XML Schema as `testdata/schema/junit-10.xsd` uses.

use std::collections::BTreeMap;
use std::fs;

/// An element.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

/// Reads a document; panics on what is not well-formed.
pub(crate) fn parse(text: &str) -> Element {
    let mut rest = text;
    let mut open: Vec<Element> = vec![Element::default()];
    while let Some(at) = rest.find('<') {
        open.last_mut().unwrap().text.push_str(&unescaped(&rest[..at]));
        rest = &rest[at..];
        if rest.starts_with("<?") {
            rest = &rest[rest.find("?>").unwrap() + 2..];
        } else if rest.starts_with("<!--") {
            rest = &rest[rest.find("-->").unwrap() + 3..];
        } else if let Some(end) = rest.strip_prefix("</") {
            let (name, after) = end.split_once('>').unwrap();
            let element = open.pop().unwrap();
            assert_eq!(element.name, name.trim());
            open.last_mut().unwrap().children.push(element);
            rest = after;
        } else {
            rest = start(&rest[1..], &mut open);
        }
    }
    assert!(rest.trim().is_empty() && open.len() == 1, "{rest}");
    open.pop().unwrap().children.pop().unwrap()
}

/// A start tag, behind its `<`.
fn start<'a>(text: &'a str, open: &mut Vec<Element>) -> &'a str {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap();
    let mut element = Element { name: text[..end].to_owned(), ..Element::default() };
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            open.last_mut().unwrap().children.push(element);
            return after;
        }
        if let Some(after) = rest.strip_prefix('>') {
            open.push(element);
            return after;
        }
        let (name, after) = rest.split_once("=\"").unwrap();
        let (value, after) = after.split_once('"').unwrap();
        assert!(!value.contains('<'), "{value}");
        let before = element.attributes.insert(name.to_owned(), unescaped(value));
        assert_eq!(before, None, "{name} is there twice");
        rest = after.trim_start();
    }
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    assert_eq!(text.matches('&').count(), text.matches(';').count().min(text.matches('&').count()));
    plain.replace("&amp;", "&")
}

/// Every breach of `testdata/schema/junit-10.xsd`.
pub(crate) fn breaches(document: &Element) -> Vec<String> {
    let schema = parse(&fs::read_to_string("../../testdata/schema/junit-10.xsd").unwrap());
    let mut breaches = Vec::new();
    check(&schema, document, &mut breaches);
    breaches
}

fn check(schema: &Element, element: &Element, breaches: &mut Vec<String>) {
    let declared = schema.children.iter().find(|declared| {
        declared.name == "xs:element" && declared.attributes["name"] == element.name
    });
    let Some(declared) = declared else {
        breaches.push(format!("no element {}", element.name));
        return;
    };
    let attributes: Vec<&Element> =
        descendants(declared).into_iter().filter(|it| it.name == "xs:attribute").collect();
    for attribute in element.attributes.keys() {
        if !attributes.iter().any(|declared| declared.attributes["name"] == *attribute) {
            breaches.push(format!("{} has no attribute {attribute}", element.name));
        }
    }
    for attribute in attributes {
        let is_required = attribute.attributes.get("use").is_some_and(|word| word == "required");
        let name = &attribute.attributes["name"];
        if is_required && !element.attributes.contains_key(name) {
            breaches.push(format!("{} needs the attribute {name}", element.name));
        }
    }
    let children: Vec<&String> =
        descendants(declared).into_iter().filter_map(|it| it.attributes.get("ref")).collect();
    for child in &element.children {
        if !children.contains(&&child.name) {
            breaches.push(format!("{} in {}", child.name, element.name));
        }
        check(schema, child, breaches);
    }
    let is_text = declared.attributes.contains_key("type")
        || descendants(declared).iter().any(|it| it.attributes.contains_key("mixed"));
    if !is_text && !element.text.trim().is_empty() {
        breaches.push(format!("text in {}: {}", element.name, element.text));
    }
}

fn descendants(element: &Element) -> Vec<&Element> {
    element.children.iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}
