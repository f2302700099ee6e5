//! Makes docs/fields.md of the schema: every field of `rounds.jsonl` and `results.json`, as a table for each type.

use std::fmt::Write;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::{Line, Results};

const HEAD: &str = "# Every field\n\n\
    `lockbench schema --fields` prints this page, and a test holds the page against the program. \
    [results.md](results.md) says what the files are for. A field marked with * may be missing. Where the table does not say \
    what that means, the field has its default (no, 0, none, or an empty list).\n";

/// The page, in Markdown.
pub fn page() -> String {
    let mut generator = SchemaGenerator::default();
    let lines = Line::json_schema(&mut generator);
    let results = Results::json_schema(&mut generator);
    let mut page = String::from(HEAD);
    section(&mut page, "A line of rounds.jsonl", lines.as_value());
    section(&mut page, "results.json", results.as_value());
    for (name, schema) in generator.take_definitions(true) {
        section(&mut page, &name, &schema);
    }
    page
}

fn section(page: &mut String, title: &str, schema: &Value) {
    // Writing into a String cannot fail.
    let _ = write!(page, "\n## {title}\n\n{}\n", sentence(schema));
    if schema["properties"].is_object() {
        fields(page, schema);
    }
    let Some(variants) = schema["oneOf"].as_array() else { return };
    if variants.iter().all(|variant| variant["const"].is_string()) {
        let _ = writeln!(page, "\n| value | meaning |\n|---|---|");
        for variant in variants {
            let value = variant["const"].as_str().unwrap_or_default();
            let _ = writeln!(page, "| `{value}` | {} |", sentence(variant));
        }
        return;
    }
    for variant in variants {
        match wrapped(variant) {
            Some((name, inner)) if inner["$ref"].is_string() => {
                let _ = writeln!(
                    page,
                    "\n`{name}`: {} It holds the fields of {}.",
                    sentence(variant),
                    kind(inner)
                );
            }
            Some((name, inner)) => {
                let _ = writeln!(page, "\n`{name}`: {} It holds:", sentence(variant));
                fields(page, inner);
            }
            None => {
                let _ = writeln!(page, "\n{}", sentence(variant));
                fields(page, variant);
            }
        }
    }
}

/// The name and the fields of a variant that is an object within an object, under its name.
fn wrapped(variant: &Value) -> Option<(&String, &Value)> {
    let properties = variant["properties"].as_object().filter(|properties| properties.len() == 1)?;
    let inline = |inner: &Value| inner["properties"].is_object();
    let named = |inner: &Value| inner["$ref"].is_string() && inner["description"].is_null();
    properties.iter().next().filter(|(_, inner)| inline(inner) || named(inner))
}

fn fields(page: &mut String, schema: &Value) {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let _ = writeln!(page, "\n| field | type | meaning |\n|---|---|---|");
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let mark = if required.contains(&name.as_str()) { "" } else { "*" };
        let meaning =
            if field["const"].is_string() { "always this word".to_owned() } else { sentence(field) };
        let _ = writeln!(page, "| `{name}`{mark} | {} | {meaning} |", kind(field));
    }
    if let Some(rest) = schema["$ref"].as_str() {
        let _ = writeln!(page, "| | {} | the fields of that type stand beside it |", link(rest));
    }
}

/// A schema's description, on one line.
fn sentence(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

fn link(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    format!("[{name}](#{})", name.to_lowercase())
}

/// A field's type, in words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    if let Some(value) = schema["const"].as_str() {
        return format!("`{value}`");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(name) => named(name, schema),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).map(|name| named(name, schema));
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn named(name: &str, schema: &Value) -> String {
    match name {
        "array" => match (&schema["items"], schema["minItems"].as_u64()) {
            (items @ Value::Object(_), Some(count)) => format!("list of {count}: {}", kind(items)),
            (items @ Value::Object(_), None) => format!("list of {}", kind(items)),
            _ => match schema["prefixItems"].as_array() {
                Some(parts) => {
                    format!("list: {}", parts.iter().map(kind).collect::<Vec<_>>().join(", then "))
                }
                None => "list".to_owned(),
            },
        },
        "object" if schema["additionalProperties"].is_object() => {
            format!("by name: {}", kind(&schema["additionalProperties"]))
        }
        "null" => "none".to_owned(),
        "integer" => "whole number".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "yes or no".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    /// If this fails, read the new words and run `cargo run -- schema --fields > docs/fields.md`.
    #[test]
    fn the_page_of_fields_is_that_of_the_program() {
        let page = super::page();
        let docs = include_str!("../../../docs/fields.md");
        let first = page.lines().zip(docs.lines()).find(|(ours, theirs)| ours != theirs);
        assert!(
            page == docs,
            "docs/fields.md is not what `lockbench schema --fields` prints; first at {first:?}"
        );
    }

    #[test]
    fn every_field_says_what_it_is() {
        for line in super::page().lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split(" | ").collect();
            assert!(cells.last().is_some_and(|said| said.len() > 4), "{line}");
            assert!(!line.contains("::"), "a reader of the page cannot follow a path of the source: {line}");
        }
    }
}
