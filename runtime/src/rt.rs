//! What emitted code calls. No part of the public surface: it may change with any release.

/// The name of the leaf `name` under `prefix`, joined as PyTorch's `state_dict` does.
///
/// ```
/// assert_eq!(kiln::rt::join("fc1", "weight"), "fc1.weight");
/// assert_eq!(kiln::rt::join("", "weight"), "weight");
/// ```
pub fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
