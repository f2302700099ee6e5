//! Shows what stands between backticks in a sentence, such as a command, as code.

use tera::{Kwargs, State, TeraResult, Value};

/// Escapes a sentence like every other text, and marks what stands between two backticks as code.
pub(super) fn code(text: &str, _: Kwargs, state: &State<'_>) -> TeraResult<Value> {
    let parts: Vec<&str> = text.split('`').collect();
    let mut marked = String::new();
    for (index, part) in parts.iter().enumerate() {
        let escaped = state.escape(part)?;
        // Every second part is between two backticks, except a last one without a closing backtick.
        if index % 2 == 0 {
            marked.push_str(&escaped);
        } else if index + 1 < parts.len() {
            marked.push_str(&format!("<code>{escaped}</code>"));
        } else {
            marked.push('`');
            marked.push_str(&escaped);
        }
    }
    Ok(Value::safe_string(&marked))
}

#[cfg(test)]
mod tests {
    use tera::{Context, Tera};

    fn shown(text: &str) -> String {
        let mut tera = Tera::default();
        tera.set_escape_fn(super::super::escape);
        tera.register_filter("code", super::code);
        tera.add_raw_template("page", "{{ text | code }}").unwrap();
        let mut context = Context::new();
        context.insert("text", text);
        tera.render("page", &context).unwrap()
    }

    #[test]
    fn what_stands_between_backticks_is_code_and_everything_is_escaped() {
        assert_eq!(shown("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
        assert_eq!(shown("<i> one ` alone"), "&lt;i&gt; one ` alone");
        assert_eq!(shown("no code"), "no code");
    }
}
