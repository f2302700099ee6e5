//! The JSON Schema of `results.json`, made from the types that read and write it.

use crate::record::Results;

/// The schema, as indented JSON.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Results);
    // A schema is plain data with string keys: nothing in it can fail to print.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_names_what_the_docs_name() {
        let schema: serde_json::Value = serde_json::from_str(&super::schema()).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        for name in ["schema_version", "run_id", "seed", "machine", "noise_floor", "dropped", "cells"] {
            assert!(properties.contains_key(name), "{name} is missing");
        }
        assert!(schema["$defs"]["Cell"]["properties"]["ops_per_second"].is_object());
    }
}
