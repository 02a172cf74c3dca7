//! As much of JSON Schema as the schemas in `docs/schema` use.

use std::fs;

use serde_json::Value;

/// Checks a document against `docs/schema/<name>.schema.json`; every breach, with its place.
pub(crate) fn breaches(name: &str, document: &Value) -> Vec<String> {
    let text = fs::read_to_string(format!("../../docs/schema/{name}.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    breaches_of(&schema, &schema, name, document)
}

/// Checks a document against a part of a schema.
pub(crate) fn breaches_of(root: &Value, part: &Value, name: &str, document: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    check(root, part, document, name, &mut breaches);
    breaches
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, breaches: &mut Vec<String>) {
    let mut breach = |what: &str| breaches.push(format!("{place}: {what}: {value}"));
    let keywords = schema.as_object().unwrap();
    for (keyword, rule) in keywords {
        let holds = match keyword.as_str() {
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "type" => match rule.as_array() {
                Some(types) => types.iter().any(|name| is(name, value)),
                None => is(rule, value),
            },
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "additionalProperties" => value.as_object().is_none_or(|object| {
                object.iter().all(|(key, value)| {
                    let is_known = schema["properties"].get(key).is_some();
                    is_known || *rule != false && (*rule == true || fits(root, rule, value))
                })
            }),
            "anyOf" => rule.as_array().unwrap().iter().any(|schema| fits(root, schema, value)),
            "oneOf" => {
                rule.as_array().unwrap().iter().filter(|schema| fits(root, schema, value)).count()
                    == 1
            }
            "minItems" => value
                .as_array()
                .is_none_or(|list| u64::try_from(list.len()).unwrap() >= rule.as_u64().unwrap()),
            "uniqueItems" => value.as_array().is_none_or(|list| {
                *rule == false
                    || list.iter().enumerate().all(|(index, item)| !list[..index].contains(item))
            }),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "pattern" => panic!("the test does not know the pattern {rule} of {place}"),
            "properties" | "items" | "$ref" | "$defs" | "definitions" | "$schema" | "id"
            | "title" | "description" | "default" | "format" => true,
            unknown => panic!("the test does not know {unknown}"),
        };
        if !holds {
            breach(keyword);
        }
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        check(root, target, value, place, breaches);
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(key) {
            check(root, schema, value, &format!("{place}.{key}"), breaches);
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            check(root, &schema["items"], value, &format!("{place}[{index}]"), breaches);
        }
    }
}

fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut breaches = Vec::new();
    check(root, schema, value, "", &mut breaches);
    breaches.is_empty()
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "number" => value.is_number(),
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the test does not know {unknown}"),
    }
}
