//! Attention beyond that of a query over all keys: fewer keys' heads, fewer keys, features, turned positions.

use super::{Args, table};
use crate::composite::attention;

table! {
    /// Attention of [.., H, L, E] over fewer heads of keys and values [.., G, S, E]; if causal, a query sees the keys up to its own place.
    Function grouped_query_attention(query: Tensor, key: Tensor, value: Tensor, causal: Bool) -> One
        |b, a| attention::grouped_query(b, three(a), a.bool(3));
    /// Attention over mixtures of keys and values by [K, S] each.
    Function linformer_attention(query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor) -> One
        |b, a| attention::linformer(b, three(a), [a.tensor(3), a.tensor(4)]);
    /// Attention by positive features of a random projection [M, E]; if causal, a query sees the keys up to its own place.
    Function performer_attention(
        query: Tensor, key: Tensor, value: Tensor, projection: Tensor, causal: Bool, eps: Float
    ) -> One |b, a| attention::performer(b, three(a), a.tensor(3), a.bool(4), a.float(5));
    /// Pairs of the last dim of [.., T, E] turned by positions [T]: of neighbours if interleaved, or else of both halves.
    Function rotary_embedding(x: Tensor, positions: Tensor, base: Float, interleaved: Bool) -> One
        |b, a| attention::rotary(b, a.tensor(0), a.tensor(1), a.float(2), a.bool(3));
}

fn three(a: &Args) -> [crate::Value; 3] {
    [0, 1, 2].map(|i| a.tensor(i))
}
