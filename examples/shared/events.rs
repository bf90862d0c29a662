//! Events as TensorBoard reads them: TFRecord frames around protocol buffers `Event` of a few fields.
//!
//! A frame is the length (u64), the masked CRC32C of the length, the bytes, the masked CRC32C of the bytes, little-endian
//! (tensorflow/core/lib/io/record_writer.h). Fields of `Event`: 1 wall time, 2 step, 3 version, 5 summary; of `Summary`:
//! 1 value; of `Value`: 1 tag, 2 number.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A file of events.
pub struct Events(File);

impl Events {
    /// An empty file, which replaces what was there.
    pub fn create(path: &Path) -> io::Result<Events> {
        let mut events = Events(File::create(path)?);
        let mut event = double(1, 0.0);
        event.extend(bytes(3, b"brain.Event:2"));
        events.0.write_all(&frame(&event))?;
        Ok(events)
    }

    /// One number more at a step, `wall` seconds after 1970.
    pub fn scalar(&mut self, wall: f64, step: u64, tag: &str, value: f64) -> io::Result<()> {
        let mut number = bytes(1, tag.as_bytes());
        number.push(2 << 3 | 5);
        number.extend((value as f32).to_le_bytes());
        let mut event = double(1, wall);
        event.push(2 << 3);
        varint(step, &mut event);
        event.extend(bytes(5, &bytes(1, &number)));
        self.0.write_all(&frame(&event))
    }
}

fn frame(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

/// A field of 64 bits.
fn double(field: u8, value: f64) -> Vec<u8> {
    let mut out = vec![field << 3 | 1];
    out.extend(value.to_le_bytes());
    out
}

/// A field with a length.
fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    varint(value.len() as u64, &mut out);
    out.extend(value);
    out
}

/// Seven bits a byte, the low ones first.
fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// As TFRecord stores it, so that the sum of data that holds sums is no trap.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Castagnoli's polynomial, reflected, bit by bit.
fn crc32c(data: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, appendix B.4, and the usual check.
    #[test]
    fn sums_are_the_known_ones() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    /// What TensorFlow's writer makes of `Event { wall_time: 1.5, step: 300, summary: { tag: "loss", simple_value: 0.25 } }`.
    #[test]
    fn an_event_has_the_bytes_of_its_message() {
        let path = std::env::temp_dir().join(format!("kiln-events-{}", std::process::id()));
        let mut events = Events::create(&path).expect("a file in the temporary folder");
        events.scalar(1.5, 300, "loss", 0.25).expect("the file takes it");
        let file = std::fs::read(&path).expect("the file just written");
        std::fs::remove_file(&path).expect("the file just written");
        let first = 16 + 24;
        assert_eq!(file[..8], 24u64.to_le_bytes());
        let event = b"\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x80\x3e";
        assert_eq!(file[first + 12..file.len() - 4], event[..]);
    }
}
