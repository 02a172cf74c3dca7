//! As much of JSON Schema as the schemas in `docs/schema` use.

use std::fs;

use serde_json::Value;

/// Checks a document against `docs/schema/<name>.schema.json`; every breach, with its place.
pub(crate) fn breaches(name: &str, document: &Value) -> Vec<String> {
    let text = fs::read_to_string(format!("../../docs/schema/{name}.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut breaches = Vec::new();
    check(&schema, &schema, document, name, &mut breaches);
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
                object.keys().all(|key| keywords["properties"].get(key).is_some())
            }),
            "anyOf" => rule.as_array().unwrap().iter().any(|schema| {
                let mut inner = Vec::new();
                check(root, schema, value, place, &mut inner);
                inner.is_empty()
            }),
            "properties" | "items" | "$ref" | "$defs" | "$schema" | "title" | "description" => true,
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

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the test does not know {unknown}"),
    }
}
