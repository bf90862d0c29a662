//! Nets over tokens: BERT with both of its losses, GPT.

use super::writer::{Var, Writer};

/// The words' logits and those of the next sentence.
pub fn bert(w: &mut Writer) -> Option<[Var; 2]> {
    let (layers, heads, dim) = (w.c.int("layers")?, w.c.int("heads")?, w.c.int("dim")? as usize);
    let [batch, seq] = w.input("tokens")?.shape[..] else { return None };
    let at = |w: &Writer, name: &str| w.tree.at(&format!("bert.embeddings.{name}.weight"));
    let (words, places, types) =
        (at(w, "word_embeddings")?, at(w, "position_embeddings")?, at(w, "token_type_embeddings")?);
    let sum = format!("{words}.embedding(tokens) + {places}.narrow(0, 0, {seq}) + {types}.embedding(types)");
    let x = w.var(sum, vec![batch, seq, dim]);
    let mut x = w.layer_norm(&x, "bert.embeddings.LayerNorm", 1e-12)?;
    w.out += "let hidden = keep.logical_not().unsqueeze(1).unsqueeze(1);\n        ";
    for i in 0..layers {
        x = bert_layer(w, &x, &format!("bert.encoder.layer.{i}"), heads)?;
    }
    let first = w.var(format!("{}.select(1, 0)", x.name), vec![batch, dim]);
    let pooled = w.linear(&first, "bert.pooler.dense")?;
    let pooled = w.map(&pooled, "tanh()");
    let h = w.linear(&x, "cls.predictions.transform.dense")?;
    let h = w.map(&h, "gelu()");
    let h = w.layer_norm(&h, "cls.predictions.transform.LayerNorm", 1e-12)?;
    let (bias, vocab) = (w.tree.at("cls.predictions.bias")?, w.c.int("vocab")? as usize);
    let logits = w.var(format!("{}.linear({words}, Some({bias}))", h.name), vec![batch, seq, vocab]);
    Some([logits, w.linear(&pooled, "cls.seq_relationship")?])
}

fn bert_layer(w: &mut Writer, x: &Var, at: &str, heads: i64) -> Option<Var> {
    let mut part = |name: &str| w.linear(x, &format!("{at}.attention.self.{name}"));
    let qkv = [part("query")?, part("key")?, part("value")?];
    let y = attended(w, qkv.each_ref().map(|v| v.name.as_str()), x, heads, "hidden");
    let y = w.linear(&y, &format!("{at}.attention.output.dense"))?;
    let x = w.add(&y, x)?;
    let x = w.layer_norm(&x, &format!("{at}.attention.output.LayerNorm"), 1e-12)?;
    let h = w.linear(&x, &format!("{at}.intermediate.dense"))?;
    let h = w.map(&h, "gelu()");
    let h = w.linear(&h, &format!("{at}.output.dense"))?;
    let x = w.add(&h, &x)?;
    w.layer_norm(&x, &format!("{at}.output.LayerNorm"), 1e-12)
}

/// Attention of several heads, where a mask is true none.
fn attended(w: &mut Writer, [q, k, v]: [&str; 3], x: &Var, heads: i64, mask: &str) -> Var {
    let [batch, seq, dim] = x.shape[..] else { return x.clone() };
    let split = |v: &str| format!("{v}.reshape([{batch}, {seq}, {heads}, -1]).transpose(1, 2)");
    let scale = (dim as f64 / heads as f64).sqrt();
    let scores = format!("({}.matmul({}.transpose(-1, -2)) / {scale:?})", split(q), split(k));
    let weights = format!("{scores}.masked_fill({mask}, f64::NEG_INFINITY).softmax(-1)");
    let y = format!("{weights}.matmul({}).transpose(1, 2).reshape([{batch}, {seq}, {dim}])", split(v));
    w.var(y, x.shape.clone())
}

/// The next tokens' logits.
pub fn gpt(w: &mut Writer) -> Option<Var> {
    let (layers, heads, dim) = (w.c.int("layers")?, w.c.int("heads")?, w.c.int("dim")? as usize);
    let [batch, longer] = w.input("tokens")?.shape[..] else { return None };
    let seq = longer - 1;
    let (words, places) = (w.tree.at("transformer.wte.weight")?, w.tree.at("transformer.wpe.weight")?);
    let tokens = format!("tokens.narrow(1, 0, {seq})");
    let sum = format!("{words}.embedding({tokens}) + {places}.narrow(0, 0, {seq})");
    let mut x = w.var(sum, vec![batch, seq, dim]);
    w.out += &format!("let later = ones([{seq}, {seq}]).triu(1).gt(0.0);\n        ");
    for i in 0..layers {
        x = gpt_block(w, &x, &format!("transformer.h.{i}"), heads)?;
    }
    let x = w.layer_norm(&x, "transformer.ln_f", 1e-5)?;
    let vocab = w.c.int("vocab")? as usize;
    Some(w.var(format!("{}.linear({words}, None)", x.name), vec![batch, seq, vocab]))
}

fn gpt_block(w: &mut Writer, x: &Var, at: &str, heads: i64) -> Option<Var> {
    let h = w.layer_norm(x, &format!("{at}.ln_1"), 1e-5)?;
    let h = w.linear(&h, &format!("{at}.attn.c_attn"))?;
    w.out += &format!("let [q, k, v] = {}.chunk(3, -1);\n        ", h.name);
    let y = attended(w, ["q", "k", "v"], x, heads, "later");
    let y = w.linear(&y, &format!("{at}.attn.c_proj"))?;
    let x = w.add(x, &y)?;
    let h = w.layer_norm(&x, &format!("{at}.ln_2"), 1e-5)?;
    let h = w.linear(&h, &format!("{at}.mlp.c_fc"))?;
    let h = w.map(&h, "gelu_tanh()");
    let h = w.linear(&h, &format!("{at}.mlp.c_proj"))?;
    w.add(&x, &h)
}
