//! What a run must find again to go on as if it had never stopped.

use kiln::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// What changes while a net is trained: all that a checkpoint has to hold.
pub trait State {
    /// Puts all of it into the parts.
    fn store(&self, parts: &mut Parts) -> crate::Result<()>;
    /// Takes all of it out of them.
    fn restore(&mut self, parts: &Parts) -> crate::Result<()>;
}

/// A net, its optimizer and the generator that draws order and chance.
pub struct Training<P, O> {
    /// The weights.
    pub net: P,
    /// The moments and the number of steps.
    pub opt: O,
    /// Where the order of data and all that is drawn comes from.
    pub rng: Rng,
}

impl<P: Params, O: Optimizer> State for Training<P, O> {
    fn store(&self, parts: &mut Parts) -> crate::Result<()> {
        parts.put("net", self.net.to_bytes()?);
        parts.put("optimizer", self.opt.to_bytes()?);
        parts.put("generator", self.rng.state().iter().flat_map(|word| word.to_le_bytes()).collect());
        Ok(())
    }

    fn restore(&mut self, parts: &Parts) -> crate::Result<()> {
        self.net.load_bytes(parts.get("net")?)?;
        self.opt.load_bytes(parts.get("optimizer")?)?;
        let words: Vec<u64> = parts.get("generator")?.chunks_exact(8).map(word).collect();
        self.rng = Rng::from_state(words.try_into().map_err(|_| "a generator of another form")?);
        Ok(())
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Named bytes in a safetensors file, each a tensor of `u8`.
#[derive(Default, PartialEq)]
pub struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    /// One part more.
    pub fn put(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(name.into(), bytes);
    }

    /// A part.
    pub fn get(&self, name: &str) -> Result<&[u8], String> {
        self.0.get(name).map(Vec::as_slice).ok_or_else(|| format!("no {name} in it"))
    }

    /// A part that is text.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        std::str::from_utf8(self.get(name)?).map_err(|_| format!("{name} is no text"))
    }

    /// The file is replaced as a whole or not at all.
    pub fn write(&self, path: &Path) -> crate::Result<()> {
        let view = |(name, bytes)| Ok((name, TensorView::new(Dtype::U8, vec![Vec::len(bytes)], bytes)?));
        let views = self.0.iter().map(view).collect::<crate::Result<Vec<(&String, _)>>>()?;
        let beside = path.with_extension("tmp");
        std::fs::write(&beside, safetensors::serialize(views, None)?)?;
        Ok(std::fs::rename(&beside, path)?)
    }

    /// Reads what [`Parts::write`] wrote.
    pub fn read(path: &Path) -> crate::Result<Parts> {
        let bytes = std::fs::read(path)?;
        let read = SafeTensors::deserialize(&bytes)?;
        Ok(Parts(read.iter().map(|(name, view)| (name.into(), view.data().to_vec())).collect()))
    }
}
